// The ops for Python: arrays in, a params struct filled, the GIL released, the selected loops run. Shapes and value
// ranges are checked in ops.py; element type, contiguity, device and writability by the conversion of the arguments.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bind/stderr_filter.h"
#include "cpu/dispatch.h"

namespace nb = nanobind;

namespace {

using namespace mien;

template <class T, int kAxes>
using Out = nb::ndarray<T, nb::ndim<kAxes>, nb::c_contig, nb::device::cpu>;
template <class T, int kAxes>
using In = nb::ndarray<const T, nb::ndim<kAxes>, nb::c_contig, nb::device::cpu>;
template <int kAxes>
using AnyOut = nb::ndarray<nb::ndim<kAxes>, nb::c_contig, nb::device::cpu>;
template <int kAxes>
using AnyIn = nb::ndarray<nb::ro, nb::ndim<kAxes>, nb::c_contig, nb::device::cpu>;

template <class Array>
int32_t size(const Array& array, size_t axis) {
    return static_cast<int32_t>(array.shape(axis));
}

template <class Array>
Type type(const Array& array) {
    return array.dtype() == nb::dtype<uint8_t>() ? Type::u8 : Type::f32;
}

Padding padding(bool zero) {
    return zero ? Padding::zero : Padding::border;
}
Layout layout(bool channels_last) {
    return channels_last ? Layout::nhwc : Layout::nchw;
}

template <class Params>
void run(void (*Ops::*op)(const Params&, int), const Params& params, int threads) {
    const nb::gil_scoped_release release;
    (selected_isa().ops->*op)(params, threads);
}

void add_levels(const In<uint8_t, 3>& base, const In<uint8_t, 2>& levels, const Out<uint8_t, 3>& out, int threads) {
    const AddLevels params = {
        .base = base.data(),
        .levels = levels.data(),
        .out = out.data(),
        .pixels = static_cast<int64_t>(base.shape(0) * base.shape(1)),
        .channels = size(base, 2),
    };
    run(&Ops::add_levels, params, threads);
}

void blend(const AnyIn<3>& under, const AnyIn<3>& over, const std::optional<AnyIn<2>>& mask, const AnyOut<3>& out,
           int threads) {
    const Blend params = {
        .under = under.data(),
        .over = over.data(),
        .mask = mask ? mask->data() : nullptr,
        .out = out.data(),
        .pixels = static_cast<int64_t>(under.shape(0) * under.shape(1)),
        .channels = size(under, 2),
        .type = type(under),
        .mask_type = mask ? type(*mask) : type(under),
    };
    run(&Ops::blend, params, threads);
}

void draw_eye(const Out<uint8_t, 3>& out, const In<uint8_t, 3>& picture, const In<float, 2>& mask, int left, int top,
              const In<float, 2>& to_eye, const In<float, 2>& to_picture, const In<float, 2>& looks,
              const In<float, 3>& lids, float inverse_radius, float fade, float inverse_span, float margin,
              int threads) {
    DrawEye params = {
        .out = out.data(),
        .picture = picture.data(),
        .mask = mask.data(),
        .height = size(out, 0),
        .width = size(out, 1),
        .picture_height = size(picture, 0),
        .picture_width = size(picture, 1),
        .channels = size(picture, 2),
        .left = left,
        .top = top,
        .rows = size(mask, 0),
        .columns = size(mask, 1),
        .to_eye = {},
        .to_picture = {},
        .look = {},
        .own_look = {},
        .inverse_radius = inverse_radius,
        .fade = fade,
        .inverse_span = inverse_span,
        .margin = margin,
        .own = {},
        .lids = {},
    };
    MIEN_ISA::fill_eye(to_eye.data(), to_picture.data(), looks.data(), lids.data(), params);
    run(&Ops::draw_eye, params, threads);
}

void erase(const Out<uint8_t, 3>& picture, const In<float, 2>& mouth, const In<float, 3>& flow, float nothing,
           float gain, float bearable, float span, int threads) {
    const Erase params = {
        .picture = picture.data(),
        .mouth = mouth.data(),
        .flow = flow.data(),
        .height = size(picture, 0),
        .width = size(picture, 1),
        .nothing = nothing,
        .gain = gain,
        .bearable = bearable,
        .span = span,
    };
    run(&Ops::erase, params, threads);
}

void flow_warp(const AnyIn<3>& source, const In<float, 3>& flow, const AnyOut<3>& out, bool zero, bool channels_last,
               int threads) {
    const int height = channels_last ? 0 : 1;
    const FlowWarp params = {
        .source = source.data(),
        .flow = flow.data(),
        .out = out.data(),
        .height = size(source, 0),
        .width = size(source, 1),
        .channels = size(source, 2),
        .flow_height = size(flow, 0),
        .flow_width = size(flow, 1),
        .out_height = size(out, height),
        .out_width = size(out, height + 1),
        .type = type(source),
        .padding = padding(zero),
        .layout = layout(channels_last),
    };
    run(&Ops::flow_warp, params, threads);
}

void halve_flow(const In<float, 3>& flow, const Out<float, 3>& out, int threads) {
    const HalveFlow params = {
        .flow = flow.data(),
        .out = out.data(),
        .height = size(out, 0),
        .width = size(out, 1),
    };
    run(&Ops::halve_flow, params, threads);
}

void limit(const Out<float, 2>& values, const In<float, 2>& most, int threads) {
    const Limit params = {
        .values = values.data(),
        .most = most.data(),
        .count = static_cast<int64_t>(values.size()),
    };
    run(&Ops::limit, params, threads);
}

void paste(const Out<uint8_t, 3>& frame, const In<uint8_t, 3>& crop, const In<float, 2>& matrix, float inverse_feather,
           const In<float, 1>& gain, const In<float, 1>& bias, const std::optional<In<float, 2>>& mask, float opacity,
           int threads) {
    Paste params = {
        .frame = frame.data(),
        .crop = crop.data(),
        .mask = mask ? mask->data() : nullptr,
        .height = size(frame, 0),
        .width = size(frame, 1),
        .crop_height = size(crop, 0),
        .crop_width = size(crop, 1),
        .channels = size(frame, 2),
        .matrix = {},
        .inverse_feather = inverse_feather,
        .gain = {},
        .bias = {},
        .opacity = opacity,
    };
    std::memcpy(params.matrix, matrix.data(), sizeof(params.matrix));
    std::memcpy(params.gain, gain.data(), gain.nbytes());
    std::memcpy(params.bias, bias.data(), bias.nbytes());
    run(&Ops::paste, params, threads);
}

void rasterize_flow(const In<float, 2>& target, const In<float, 2>& source, const In<int32_t, 2>& triangles,
                    const Out<float, 3>& flow, const Out<float, 2>& depth, int threads) {
    const RasterizeFlow params = {
        .target = target.data(),
        .source = source.data(),
        .triangles = triangles.data(),
        .flow = flow.data(),
        .depth = depth.data(),
        .triangle_count = size(triangles, 0),
        .height = size(flow, 0),
        .width = size(flow, 1),
    };
    run(&Ops::rasterize_flow, params, threads);
}

void rasterize_parts(const In<float, 2>& points, const In<int32_t, 1>& starts, const In<int32_t, 1>& channels,
                     const Out<float, 3>& out, int threads) {
    const RasterizeParts params = {
        .points = points.data(),
        .starts = starts.data(),
        .channels = channels.data(),
        .out = out.data(),
        .outline_count = size(channels, 0),
        .channel_count = size(out, 0),
        .height = size(out, 1),
        .width = size(out, 2),
    };
    run(&Ops::rasterize_parts, params, threads);
}

void spade_modulate(const In<float, 4>& x, const In<float, 4>& gamma, const In<float, 4>& beta,
                    const Out<float, 4>& out, float epsilon, float slope, bool channels_last, int threads) {
    const SpadeModulate params = {
        .x = x.data(),
        .gamma = gamma.data(),
        .beta = beta.data(),
        .out = out.data(),
        .parts = nullptr,
        .pixels = static_cast<int64_t>(channels_last ? x.shape(1) * x.shape(2) : x.shape(2) * x.shape(3)),
        .batch = size(x, 0),
        .channels = size(x, channels_last ? 3 : 1),
        .part_count = 0,
        .epsilon = epsilon,
        .slope = slope,
        .type = Type::f32,
        .layout = layout(channels_last),
    };
    run(&Ops::spade_modulate, params, threads);
}

void spread_flow(const In<float, 2>& rows, const In<float, 1>& columns, const Out<float, 3>& out, int threads) {
    const SpreadFlow params = {
        .rows = rows.data(),
        .columns = columns.data(),
        .out = out.data(),
        .height = size(out, 0),
        .width = size(out, 1),
    };
    run(&Ops::spread_flow, params, threads);
}

void temporal_blend(const In<uint8_t, 3>& current, const In<uint8_t, 3>& previous, const In<float, 3>& flow,
                    const std::optional<In<float, 2>>& weight, const Out<uint8_t, 3>& out, float strength,
                    float inverse_threshold, int threads) {
    const TemporalBlend params = {
        .current = current.data(),
        .previous = previous.data(),
        .flow = flow.data(),
        .weight = weight ? weight->data() : nullptr,
        .out = out.data(),
        .height = size(current, 0),
        .width = size(current, 1),
        .channels = size(current, 2),
        .flow_height = size(flow, 0),
        .flow_width = size(flow, 1),
        .weight_height = weight ? size(*weight, 0) : 1,
        .weight_width = weight ? size(*weight, 1) : 1,
        .strength = strength,
        .inverse_threshold = inverse_threshold,
    };
    run(&Ops::temporal_blend, params, threads);
}

void to_image(const In<float, 3>& tensor, const Out<uint8_t, 3>& out, float scale, float bias, bool channels_last,
              int threads) {
    const ToImage params = {
        .tensor = tensor.data(),
        .out = out.data(),
        .height = size(out, 0),
        .width = size(out, 1),
        .channels = size(out, 2),
        .scale = scale,
        .bias = bias,
        .layout = layout(channels_last),
    };
    run(&Ops::to_image, params, threads);
}

// Image pixels per out pixel along the axis that shrinks most.
float stretch(const float* matrix) {
    const float across = std::hypot(matrix[0], matrix[3]);
    const float down = std::hypot(matrix[1], matrix[4]);
    return across > down ? across : down;
}

void to_tensor(const In<uint8_t, 3>& image, const In<float, 2>& matrix, const Out<float, 3>& out, float scale,
               float bias, bool zero, bool channels_last, bool antialias, int threads) {
    ToTensor params = {
        .image = image.data(),
        .out = out.data(),
        .height = size(image, 0),
        .width = size(image, 1),
        .channels = size(image, 2),
        .out_height = size(out, channels_last ? 0 : 1),
        .out_width = size(out, channels_last ? 1 : 2),
        .taps = antialias ? MIEN_ISA::taps_for(stretch(matrix.data())) : 1,
        .matrix = {},
        .scale = scale,
        .bias = bias,
        .layout = layout(channels_last),
        .padding = padding(zero),
    };
    std::memcpy(params.matrix, matrix.data(), sizeof(params.matrix));
    run(&Ops::to_tensor, params, threads);
}

void tone(const Out<uint8_t, 3>& picture, const In<uint8_t, 2>& colours, int threads) {
    const Tone params = {
        .picture = picture.data(),
        .colours = colours.data(),
        .pixels = static_cast<int64_t>(picture.shape(0) * picture.shape(1)),
    };
    run(&Ops::tone, params, threads);
}

void weigh_flow(const Out<float, 3>& flow, const In<float, 2>& depth, const Out<float, 2>& weight, float share_x,
                float share_y, float still, float inverse_calm, int threads) {
    const WeighFlow params = {
        .flow = flow.data(),
        .depth = depth.data(),
        .weight = weight.data(),
        .height = size(flow, 0),
        .width = size(flow, 1),
        .share_x = share_x,
        .share_y = share_y,
        .still = still,
        .inverse_calm = inverse_calm,
    };
    run(&Ops::weigh_flow, params, threads);
}

// Instruction sets that this build has and this processor runs, plainest first.
std::vector<std::string> available_isas() {
    int count = 0;
    const Isa* all = isas(count);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
        if (all[i].supported()) names.emplace_back(all[i].name);
    }
    return names;
}

// MIEN_ISA, read once, forces an instruction set; an unknown one is an error rather than silently another.
void select_from_environment() {
    const char* name = std::getenv("MIEN_ISA");
    if (name == nullptr || *name == 0 || select_isa(name)) return;
    std::string message = "MIEN_ISA: expected one of";
    for (const std::string& isa : available_isas())
        message += " " + isa;
    throw std::runtime_error(message + " (on this processor), got " + name);
}

// An argument that is never converted by copying: an output must be the caller's own memory.
auto array(const char* name) {
    return nb::arg(name).noconvert();
}
auto maybe(const char* name) {
    return nb::arg(name).noconvert().none();
}

}  // namespace

NB_MODULE(_native, m) {
    select_from_environment();
    m.def("add_levels", add_levels, array("base"), array("levels"), array("out"), nb::arg("threads"));
    m.def("blend", blend, array("under"), array("over"), maybe("mask"), array("out"), nb::arg("threads"));
    m.def("draw_eye", draw_eye, array("out"), array("picture"), array("mask"), nb::arg("left"), nb::arg("top"),
          array("to_eye"), array("to_picture"), array("looks"), array("lids"), nb::arg("inverse_radius"),
          nb::arg("fade"), nb::arg("inverse_span"), nb::arg("margin"), nb::arg("threads"));
    m.def("erase", erase, array("picture"), array("mouth"), array("flow"), nb::arg("nothing"), nb::arg("gain"),
          nb::arg("bearable"), nb::arg("span"), nb::arg("threads"));
    m.def("flow_warp", flow_warp, array("source"), array("flow"), array("out"), nb::arg("zero"),
          nb::arg("channels_last"), nb::arg("threads"));
    m.def("halve_flow", halve_flow, array("flow"), array("out"), nb::arg("threads"));
    m.def("limit", limit, array("values"), array("most"), nb::arg("threads"));
    m.def("paste", paste, array("frame"), array("crop"), array("matrix"), nb::arg("inverse_feather"), array("gain"),
          array("bias"), maybe("mask"), nb::arg("opacity"), nb::arg("threads"));
    m.def("rasterize_flow", rasterize_flow, array("target"), array("source"), array("triangles"), array("flow"),
          array("depth"), nb::arg("threads"));
    m.def("rasterize_parts", rasterize_parts, array("points"), array("starts"), array("channels"), array("out"),
          nb::arg("threads"));
    m.def("spade_modulate", spade_modulate, array("x"), array("gamma"), array("beta"), array("out"), nb::arg("epsilon"),
          nb::arg("slope"), nb::arg("channels_last"), nb::arg("threads"));
    m.def("spread_flow", spread_flow, array("rows"), array("columns"), array("out"), nb::arg("threads"));
    m.def("temporal_blend", temporal_blend, array("current"), array("previous"), array("flow"), maybe("weight"),
          array("out"), nb::arg("strength"), nb::arg("inverse_threshold"), nb::arg("threads"));
    m.def("to_image", to_image, array("tensor"), array("out"), nb::arg("scale"), nb::arg("bias"),
          nb::arg("channels_last"), nb::arg("threads"));
    m.def("to_tensor", to_tensor, array("image"), array("matrix"), array("out"), nb::arg("scale"), nb::arg("bias"),
          nb::arg("zero"), nb::arg("channels_last"), nb::arg("antialias"), nb::arg("threads"));
    m.def("tone", tone, array("picture"), array("colours"), nb::arg("threads"));
    m.def("weigh_flow", weigh_flow, array("flow"), array("depth"), array("weight"), nb::arg("share_x"),
          nb::arg("share_y"), nb::arg("still"), nb::arg("inverse_calm"), nb::arg("threads"));
    m.def("filter_stderr", filter_stderr, nb::arg("texts"));
    m.def("available_isas", available_isas);
    m.def("selected_isa", [] { return std::string(selected_isa().name); });
    m.def("select_isa", [](const std::string& name) { return select_isa(name.c_str()); }, nb::arg("name"));
}
