// The ops as functions of their params structs; one table of them per instruction set.
#pragma once

#include "mien/blend.h"
#include "mien/flow_warp.h"
#include "mien/paste.h"
#include "mien/rasterize_flow.h"
#include "mien/rasterize_parts.h"
#include "mien/temporal_blend.h"
#include "mien/to_image.h"
#include "mien/to_tensor.h"

namespace mien {

struct Ops {
    void (*blend)(const Blend&, int threads);
    void (*flow_warp)(const FlowWarp&, int threads);
    void (*paste)(const Paste&, int threads);
    void (*rasterize_flow)(const RasterizeFlow&, int threads);
    void (*rasterize_parts)(const RasterizeParts&, int threads);
    void (*temporal_blend)(const TemporalBlend&, int threads);
    void (*to_image)(const ToImage&, int threads);
    void (*to_tensor)(const ToTensor&, int threads);
};

namespace MIEN_ISA {

void blend(const Blend& params, int threads);
void flow_warp(const FlowWarp& params, int threads);
void paste(const Paste& params, int threads);
void rasterize_flow(const RasterizeFlow& params, int threads);
void rasterize_parts(const RasterizeParts& params, int threads);
void temporal_blend(const TemporalBlend& params, int threads);
void to_image(const ToImage& params, int threads);
void to_tensor(const ToTensor& params, int threads);

}  // namespace MIEN_ISA
}  // namespace mien
