// The ops as functions of their params structs, enqueued on a stream: nothing waits, nothing is allocated, and all of
// it can be captured in a graph. Pointers are of the device. What comes back is what CUDA said to the launch.
#pragma once

#include "cuda/stream.h"
#include "mien/add_levels.h"
#include "mien/blend.h"
#include "mien/draw_eye.h"
#include "mien/erase.h"
#include "mien/flow_warp.h"
#include "mien/halve_flow.h"
#include "mien/limit.h"
#include "mien/paste.h"
#include "mien/rasterize_flow.h"
#include "mien/rasterize_parts.h"
#include "mien/spade_modulate.h"
#include "mien/spread_flow.h"
#include "mien/temporal_blend.h"
#include "mien/to_image.h"
#include "mien/to_tensor.h"
#include "mien/tone.h"
#include "mien/weigh_flow.h"

namespace mien::cuda {

Status add_levels(const AddLevels& params, Stream stream);
Status blend(const Blend& params, Stream stream);
Status draw_eye(const DrawEye& params, Stream stream);
Status erase(const Erase& params, Stream stream);
// `batch` items one after the other in source, flow and out, up to 65535; `layout`: of out.
Status flow_warp(const FlowWarp& params, int32_t batch, Stream stream);
Status halve_flow(const HalveFlow& params, Stream stream);
Status limit(const Limit& params, Stream stream);
Status paste(const Paste& params, Stream stream);
// Indices of vertices, points and channels are read on the device only: what names none is skipped there.
Status rasterize_flow(const RasterizeFlow& params, int32_t vertex_count, Stream stream);
Status rasterize_parts(const RasterizeParts& params, int32_t point_count, Stream stream);
Status spade_modulate(const SpadeModulate& params, Stream stream);
Status spread_flow(const SpreadFlow& params, Stream stream);
Status temporal_blend(const TemporalBlend& params, Stream stream);
Status to_image(const ToImage& params, Type type, Stream stream);    // `type`: of the tensor
Status to_tensor(const ToTensor& params, Type type, Stream stream);  // `type`: of out
Status tone(const Tone& params, Stream stream);
Status weigh_flow(const WeighFlow& params, Stream stream);

// Parts that spade_modulate would like to take each plane in; 0 if it keeps planes on the chip and needs none.
Status spade_parts(const SpadeModulate& params, int32_t& count);

}  // namespace mien::cuda
