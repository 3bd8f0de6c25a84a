// The ops on CUDA for Python: addresses and sizes in, a params struct filled, the op enqueued. Arrays are looked at and
// checked in mien_kernels/device.py; here is no framework, and nothing of CUDA is touched before the first call.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "cuda/ops.h"

namespace nb = nanobind;

namespace {

using namespace mien;

void check(const char* op, cudaError_t status) {
    if (status == cudaSuccess) return;
    throw std::runtime_error(std::string(op) + ": " + cudaGetErrorString(status));
}

// Where an array lies. The device is that of the call; it is made current for its time.
struct Place {
    int device;  // -1: the current one
    uintptr_t stream;
};

class OnDevice {
  public:
    OnDevice(const char* op, int device) : op_(op) {
        check(op_, cudaGetDevice(&before_));
        changed_ = device >= 0 && device != before_;
        if (changed_) check(op_, cudaSetDevice(device));
    }
    ~OnDevice() {
        if (changed_) cudaSetDevice(before_);
    }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

  private:
    const char* op_;
    int before_ = 0;
    bool changed_ = false;
};

template <class Launch>
void enqueue(const char* op, int device, uintptr_t stream, const Launch& launch) {
    const nb::gil_scoped_release release;
    const OnDevice current(op, device);
    check(op, launch(reinterpret_cast<cuda::Stream>(stream)));
}

template <class T>
T* at(uintptr_t address) {
    return reinterpret_cast<T*>(address);
}

Type type(const std::string& name) {
    if (name == "uint8") return Type::u8;
    if (name == "float32") return Type::f32;
    if (name == "float16") return Type::f16;
    if (name == "bfloat16") return Type::bf16;
    throw std::invalid_argument("type: expected uint8, float32, float16 or bfloat16, got " + name);
}

Padding padding(bool zero) {
    return zero ? Padding::zero : Padding::border;
}
Layout layout(bool channels_last) {
    return channels_last ? Layout::nhwc : Layout::nchw;
}

typedef std::array<int32_t, 2> Size;     // height, width
typedef std::array<int32_t, 3> Picture;  // height, width, channels
typedef std::array<float, 6> Matrix;     // 2 x 3
typedef std::array<float, 4> PerChannel;
typedef std::array<float, 4> Looks;                  // 2 x 2
typedef std::array<float, 4 * kRimPoints * 2> Lids;  // 4 x points x 2

void copy(const Matrix& from, float* to) {
    for (size_t i = 0; i < from.size(); ++i)
        to[i] = from[i];
}
void copy(const PerChannel& from, float* to) {
    for (size_t i = 0; i < from.size(); ++i)
        to[i] = from[i];
}

void add_levels(uintptr_t base, uintptr_t levels, uintptr_t out, int64_t pixels, int32_t channels, int device,
                uintptr_t stream) {
    const AddLevels params = {
        .base = at<uint8_t>(base),
        .levels = at<uint8_t>(levels),
        .out = at<uint8_t>(out),
        .pixels = pixels,
        .channels = channels,
    };
    enqueue("add_levels", device, stream, [&](cuda::Stream s) { return cuda::add_levels(params, s); });
}

void blend(uintptr_t under, uintptr_t over, uintptr_t mask, uintptr_t out, int64_t pixels, int32_t channels,
           const std::string& kind, const std::string& mask_kind, int device, uintptr_t stream) {
    const Blend params = {
        .under = at<void>(under),
        .over = at<void>(over),
        .mask = at<void>(mask),
        .out = at<void>(out),
        .pixels = pixels,
        .channels = channels,
        .type = type(kind),
        .mask_type = type(mask_kind),
    };
    enqueue("blend", device, stream, [&](cuda::Stream s) { return cuda::blend(params, s); });
}

void draw_eye(uintptr_t out, uintptr_t picture, uintptr_t mask, const Size& size, const Picture& picture_size,
              const Size& box, const Size& corner, const Matrix& to_eye, const Matrix& to_picture, const Looks& looks,
              const Lids& lids, float inverse_radius, float fade, float inverse_span, float margin, int device,
              uintptr_t stream) {
    DrawEye params = {
        .out = at<uint8_t>(out),
        .picture = at<uint8_t>(picture),
        .mask = at<float>(mask),
        .height = size[0],
        .width = size[1],
        .picture_height = picture_size[0],
        .picture_width = picture_size[1],
        .channels = picture_size[2],
        .left = corner[0],
        .top = corner[1],
        .rows = box[0],
        .columns = box[1],
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
    enqueue("draw_eye", device, stream, [&](cuda::Stream s) { return cuda::draw_eye(params, s); });
}

void erase(uintptr_t picture, uintptr_t mouth, uintptr_t flow, const Size& size, float nothing, float gain,
           float bearable, float span, int device, uintptr_t stream) {
    const Erase params = {
        .picture = at<uint8_t>(picture),
        .mouth = at<float>(mouth),
        .flow = at<float>(flow),
        .height = size[0],
        .width = size[1],
        .nothing = nothing,
        .gain = gain,
        .bearable = bearable,
        .span = span,
    };
    enqueue("erase", device, stream, [&](cuda::Stream s) { return cuda::erase(params, s); });
}

void flow_warp(uintptr_t source, uintptr_t flow, uintptr_t out, int32_t batch, const Picture& size,
               const Size& flow_size, const Size& out_size, const std::string& kind, bool zero, bool channels_last,
               int device, uintptr_t stream) {
    const FlowWarp params = {
        .source = at<void>(source),
        .flow = at<float>(flow),
        .out = at<void>(out),
        .height = size[0],
        .width = size[1],
        .channels = size[2],
        .flow_height = flow_size[0],
        .flow_width = flow_size[1],
        .out_height = out_size[0],
        .out_width = out_size[1],
        .type = type(kind),
        .padding = padding(zero),
        .layout = layout(channels_last),
    };
    enqueue("flow_warp", device, stream, [&](cuda::Stream s) { return cuda::flow_warp(params, batch, s); });
}

void halve_flow(uintptr_t flow, uintptr_t out, const Size& size, int device, uintptr_t stream) {
    const HalveFlow params = {.flow = at<float>(flow), .out = at<float>(out), .height = size[0], .width = size[1]};
    enqueue("halve_flow", device, stream, [&](cuda::Stream s) { return cuda::halve_flow(params, s); });
}

void limit(uintptr_t values, uintptr_t most, int64_t count, int device, uintptr_t stream) {
    const Limit params = {.values = at<float>(values), .most = at<float>(most), .count = count};
    enqueue("limit", device, stream, [&](cuda::Stream s) { return cuda::limit(params, s); });
}

void paste(uintptr_t frame, uintptr_t crop, uintptr_t mask, const Picture& size, const Size& crop_size,
           const Matrix& matrix, float inverse_feather, const PerChannel& gain, const PerChannel& bias, float opacity,
           int device, uintptr_t stream) {
    Paste params = {
        .frame = at<uint8_t>(frame),
        .crop = at<uint8_t>(crop),
        .mask = at<float>(mask),
        .height = size[0],
        .width = size[1],
        .crop_height = crop_size[0],
        .crop_width = crop_size[1],
        .channels = size[2],
        .matrix = {},
        .inverse_feather = inverse_feather,
        .gain = {},
        .bias = {},
        .opacity = opacity,
    };
    copy(matrix, params.matrix);
    copy(gain, params.gain);
    copy(bias, params.bias);
    enqueue("paste", device, stream, [&](cuda::Stream s) { return cuda::paste(params, s); });
}

void rasterize_flow(uintptr_t target, uintptr_t source, uintptr_t triangles, uintptr_t flow, uintptr_t depth,
                    int32_t vertex_count, int32_t triangle_count, const Size& size, int device, uintptr_t stream) {
    const RasterizeFlow params = {
        .target = at<float>(target),
        .source = at<float>(source),
        .triangles = at<int32_t>(triangles),
        .flow = at<float>(flow),
        .depth = at<float>(depth),
        .triangle_count = triangle_count,
        .height = size[0],
        .width = size[1],
    };
    enqueue("rasterize_flow", device, stream,
            [&](cuda::Stream s) { return cuda::rasterize_flow(params, vertex_count, s); });
}

void rasterize_parts(uintptr_t points, uintptr_t starts, uintptr_t channels, uintptr_t out, int32_t point_count,
                     int32_t outline_count, const Picture& size, int device, uintptr_t stream) {
    const RasterizeParts params = {
        .points = at<float>(points),
        .starts = at<int32_t>(starts),
        .channels = at<int32_t>(channels),
        .out = at<float>(out),
        .outline_count = outline_count,
        .channel_count = size[0],
        .height = size[1],
        .width = size[2],
    };
    enqueue("rasterize_parts", device, stream,
            [&](cuda::Stream s) { return cuda::rasterize_parts(params, point_count, s); });
}

SpadeModulate spade_of(int32_t batch, int32_t channels, int64_t pixels, const std::string& kind, bool channels_last) {
    return {
        .x = nullptr,
        .gamma = nullptr,
        .beta = nullptr,
        .out = nullptr,
        .parts = nullptr,
        .pixels = pixels,
        .batch = batch,
        .channels = channels,
        .part_count = 0,
        .epsilon = 0.0f,
        .slope = 1.0f,
        .type = type(kind),
        .layout = layout(channels_last),
    };
}

int32_t spade_parts(int32_t batch, int32_t channels, int64_t pixels, const std::string& kind, bool channels_last,
                    int device) {
    const OnDevice current("spade_modulate", device);
    int32_t count = 0;
    check("spade_modulate", cuda::spade_parts(spade_of(batch, channels, pixels, kind, channels_last), count));
    return count;
}

void spade_modulate(uintptr_t x, uintptr_t gamma, uintptr_t beta, uintptr_t out, uintptr_t parts, int32_t part_count,
                    int32_t batch, int32_t channels, int64_t pixels, float epsilon, float slope,
                    const std::string& kind, bool channels_last, int device, uintptr_t stream) {
    SpadeModulate params = spade_of(batch, channels, pixels, kind, channels_last);
    params.x = at<void>(x);
    params.gamma = at<void>(gamma);
    params.beta = at<void>(beta);
    params.out = at<void>(out);
    params.parts = at<Moments>(parts);
    params.part_count = part_count;
    params.epsilon = epsilon;
    params.slope = slope;
    enqueue("spade_modulate", device, stream, [&](cuda::Stream s) { return cuda::spade_modulate(params, s); });
}

void spread_flow(uintptr_t rows, uintptr_t columns, uintptr_t out, const Size& size, int device, uintptr_t stream) {
    const SpreadFlow params = {
        .rows = at<float>(rows),
        .columns = at<float>(columns),
        .out = at<float>(out),
        .height = size[0],
        .width = size[1],
    };
    enqueue("spread_flow", device, stream, [&](cuda::Stream s) { return cuda::spread_flow(params, s); });
}

void temporal_blend(uintptr_t current, uintptr_t previous, uintptr_t flow, uintptr_t weight, uintptr_t out,
                    const Picture& size, const Size& flow_size, const Size& weight_size, float strength,
                    float inverse_threshold, int device, uintptr_t stream) {
    const TemporalBlend params = {
        .current = at<uint8_t>(current),
        .previous = at<uint8_t>(previous),
        .flow = at<float>(flow),
        .weight = at<float>(weight),
        .out = at<uint8_t>(out),
        .height = size[0],
        .width = size[1],
        .channels = size[2],
        .flow_height = flow_size[0],
        .flow_width = flow_size[1],
        .weight_height = weight_size[0],
        .weight_width = weight_size[1],
        .strength = strength,
        .inverse_threshold = inverse_threshold,
    };
    enqueue("temporal_blend", device, stream, [&](cuda::Stream s) { return cuda::temporal_blend(params, s); });
}

void to_image(uintptr_t tensor, uintptr_t out, const Picture& size, const std::string& kind, float scale, float bias,
              bool channels_last, int device, uintptr_t stream) {
    const ToImage params = {
        .tensor = at<float>(tensor),
        .out = at<uint8_t>(out),
        .height = size[0],
        .width = size[1],
        .channels = size[2],
        .scale = scale,
        .bias = bias,
        .layout = layout(channels_last),
    };
    enqueue("to_image", device, stream, [&](cuda::Stream s) { return cuda::to_image(params, type(kind), s); });
}

// Image pixels per out pixel along the axis that shrinks most.
float stretch(const Matrix& matrix) {
    const float across = std::hypot(matrix[0], matrix[3]);
    const float down = std::hypot(matrix[1], matrix[4]);
    return across > down ? across : down;
}

void to_tensor(uintptr_t image, uintptr_t out, const Picture& size, const Size& out_size, const std::string& kind,
               const Matrix& matrix, float scale, float bias, bool zero, bool channels_last, bool antialias, int device,
               uintptr_t stream) {
    ToTensor params = {
        .image = at<uint8_t>(image),
        .out = at<float>(out),
        .height = size[0],
        .width = size[1],
        .channels = size[2],
        .out_height = out_size[0],
        .out_width = out_size[1],
        .taps = antialias ? MIEN_ISA::taps_for(stretch(matrix)) : 1,
        .matrix = {},
        .scale = scale,
        .bias = bias,
        .layout = layout(channels_last),
        .padding = padding(zero),
    };
    copy(matrix, params.matrix);
    enqueue("to_tensor", device, stream, [&](cuda::Stream s) { return cuda::to_tensor(params, type(kind), s); });
}

void tone(uintptr_t picture, uintptr_t colours, int64_t pixels, int device, uintptr_t stream) {
    const Tone params = {.picture = at<uint8_t>(picture), .colours = at<uint8_t>(colours), .pixels = pixels};
    enqueue("tone", device, stream, [&](cuda::Stream s) { return cuda::tone(params, s); });
}

void weigh_flow(uintptr_t flow, uintptr_t depth, uintptr_t weight, const Size& size, const std::array<float, 2>& share,
                float still, float inverse_calm, int device, uintptr_t stream) {
    const WeighFlow params = {
        .flow = at<float>(flow),
        .depth = at<float>(depth),
        .weight = at<float>(weight),
        .height = size[0],
        .width = size[1],
        .share_x = share[0],
        .share_y = share[1],
        .still = still,
        .inverse_calm = inverse_calm,
    };
    enqueue("weigh_flow", device, stream, [&](cuda::Stream s) { return cuda::weigh_flow(params, s); });
}

typedef nb::ndarray<nb::ro> Exchanged;  // through DLPack

std::string name_of(nb::dlpack::dtype kind) {
    typedef nb::dlpack::dtype_code Code;
    const std::string bits = std::to_string(kind.bits);
    if (kind.lanes != 1) return "vector";
    if (kind.code == static_cast<uint8_t>(Code::Bfloat)) return "bfloat" + bits;
    if (kind.code == static_cast<uint8_t>(Code::Float)) return "float" + bits;
    if (kind.code == static_cast<uint8_t>(Code::Int)) return "int" + bits;
    if (kind.code == static_cast<uint8_t>(Code::UInt)) return "uint" + bits;
    return "other";
}

// Address, shape, strides in elements, element type and device of an array that is handed over as a DLPack capsule. The
// capsule is used up; the array itself is kept alive by whoever holds it.
std::tuple<uintptr_t, nb::tuple, nb::tuple, std::string, int> looked_at(const Exchanged& array) {
    nb::list shape;
    nb::list strides;
    for (size_t i = 0; i < array.ndim(); ++i) {
        shape.append(array.shape(i));
        strides.append(array.stride(i));
    }
    return {reinterpret_cast<uintptr_t>(array.data()), nb::tuple(shape), nb::tuple(strides), name_of(array.dtype()),
            array.device_id()};
}

// Devices that the driver shows; an error if there is no driver.
int device_count() {
    int count = 0;
    check("CUDA", cudaGetDeviceCount(&count));
    return count;
}

}  // namespace

NB_MODULE(MIEN_MODULE, m) {
    m.def("add_levels", add_levels);
    m.def("blend", blend);
    m.def("draw_eye", draw_eye);
    m.def("erase", erase);
    m.def("flow_warp", flow_warp);
    m.def("halve_flow", halve_flow);
    m.def("limit", limit);
    m.def("paste", paste);
    m.def("rasterize_flow", rasterize_flow);
    m.def("rasterize_parts", rasterize_parts);
    m.def("spade_parts", spade_parts);
    m.def("spade_modulate", spade_modulate);
    m.def("spread_flow", spread_flow);
    m.def("temporal_blend", temporal_blend);
    m.def("to_image", to_image);
    m.def("to_tensor", to_tensor);
    m.def("tone", tone);
    m.def("weigh_flow", weigh_flow);
    m.def("looked_at", looked_at, nb::arg("array"));
    m.def("device_count", device_count);
}
