#include "cpu/ops.h"

namespace mien::MIEN_ISA {

extern const Ops table;
const Ops table = {
    .blend = blend,
    .flow_warp = flow_warp,
    .paste = paste,
    .rasterize_flow = rasterize_flow,
    .rasterize_parts = rasterize_parts,
    .temporal_blend = temporal_blend,
    .to_image = to_image,
    .to_tensor = to_tensor,
};

}  // namespace mien::MIEN_ISA
