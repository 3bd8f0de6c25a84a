// A picture, or features, seen through a backward flow.
#pragma once

#include "mien/sample.h"

namespace mien {

struct FlowWarp {
    const void* source;  // (height, width, channels) of `type`
    const float* flow;   // (flow_height, flow_width, 2): where to look in the source, x then y, in pixels
    void* out;           // (out_height, out_width, channels) of `type`, or (channels, out_height, out_width)
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t flow_height;  // the flow is enlarged or reduced bilinearly where its size is not that of `out`
    int32_t flow_width;
    int32_t out_height;
    int32_t out_width;
    Type type;
    Padding padding;
    Layout layout;  // of `out`; the source is nhwc
};

}  // namespace mien
