// The ops as functions of their params structs, and a table of them for every instruction set.
#pragma once

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

// The one list of ops: function and params struct.
#define MIEN_EACH_OP(OP)                \
    OP(add_levels, AddLevels)           \
    OP(blend, Blend)                    \
    OP(draw_eye, DrawEye)               \
    OP(erase, Erase)                    \
    OP(flow_warp, FlowWarp)             \
    OP(halve_flow, HalveFlow)           \
    OP(limit, Limit)                    \
    OP(paste, Paste)                    \
    OP(rasterize_flow, RasterizeFlow)   \
    OP(rasterize_parts, RasterizeParts) \
    OP(spade_modulate, SpadeModulate)   \
    OP(spread_flow, SpreadFlow)         \
    OP(temporal_blend, TemporalBlend)   \
    OP(to_image, ToImage)               \
    OP(to_tensor, ToTensor)             \
    OP(tone, Tone)                      \
    OP(weigh_flow, WeighFlow)

namespace mien {

#define MIEN_MEMBER(name, Params) void (*name)(const Params& params, int threads);
struct Ops {
    MIEN_EACH_OP(MIEN_MEMBER)
};
#undef MIEN_MEMBER

namespace MIEN_ISA {

#define MIEN_FUNCTION(name, Params) void name(const Params& params, int threads);
MIEN_EACH_OP(MIEN_FUNCTION)
#undef MIEN_FUNCTION

}  // namespace MIEN_ISA
}  // namespace mien
