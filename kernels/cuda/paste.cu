#include <cmath>

#include "cuda/ops.h"
#include "cuda/taps.h"
#include "mien/paste.h"

namespace mien::cuda {
namespace {

// The part of the frame that is looked at.
struct Box {
    int32_t left;
    int32_t top;
    int32_t width;
    int32_t height;
};

template <int C>
__global__ void __launch_bounds__(kThreads) paste_kernel(Paste p, Box box) {
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(box.width) * box.height) return;
    const int32_t row = static_cast<int32_t>(index / box.width);
    const int32_t y = box.top + row;
    const int32_t x = box.left + static_cast<int32_t>(index - static_cast<int64_t>(row) * box.width);
    const float at_x = affine(p.matrix, static_cast<float>(x), static_cast<float>(y));
    const float at_y = affine(p.matrix + 3, static_cast<float>(x), static_cast<float>(y));
    float alpha = feathered(border_distance(at_x, at_y, p.crop_width, p.crop_height), p.inverse_feather);
    if (!(alpha > 0.0f)) return;
    if (p.mask != nullptr) {
        alpha *= tapped(p.mask, taps_at(at_x, at_y, p.crop_height, p.crop_width, 1, Padding::border), 0);
    }
    alpha *= p.opacity;
    const Taps taps = taps_at(at_x, at_y, p.crop_height, p.crop_width, C, Padding::border);
    uint8_t* frame = p.frame + (static_cast<int64_t>(y) * p.width + x) * C;
#pragma unroll
    for (int c = 0; c < C; ++c)
        frame[c] = pasted(to_float(frame[c]), tapped(p.crop, taps, c), p.gain[c], p.bias[c], alpha);
}

struct Span {
    double low;
    double high;
};

// The pixels first..last - 1 of 0..size - 1 that a span touches, give or take one; all of them where it is not finite.
void covered_pixels(Span span, int32_t size, int32_t& first, int32_t& last) {
    const double low = std::fmin(std::fmax(std::floor(span.low) - 1.0, 0.0), size);
    const double high = std::fmin(std::fmax(std::ceil(span.high) + 2.0, 0.0), size);
    first = static_cast<int32_t>(low);
    last = static_cast<int32_t>(high);
}

// Where the crop's corners, mapped back by the inverse of the matrix, reach.
Box box_of(const Paste& p) {
    const double a = p.matrix[0], b = p.matrix[1], c = p.matrix[3], d = p.matrix[4];
    const double determinant = a * d - b * c;
    if (!(std::fabs(determinant) > 1e-12)) return {0, 0, p.width, p.height};
    Span across = {INFINITY, -INFINITY};
    Span down = across;
    for (int corner = 0; corner < 4; ++corner) {
        const double u = (corner % 2 ? p.crop_width : 0) - 0.5 - static_cast<double>(p.matrix[2]);
        const double v = (corner / 2 ? p.crop_height : 0) - 0.5 - static_cast<double>(p.matrix[5]);
        const double x = (d * u - b * v) / determinant;
        const double y = (a * v - c * u) / determinant;
        if (!std::isfinite(x) || !std::isfinite(y)) return {0, 0, p.width, p.height};
        across = {std::fmin(across.low, x), std::fmax(across.high, x)};
        down = {std::fmin(down.low, y), std::fmax(down.high, y)};
    }
    int32_t left, right, top, bottom;
    covered_pixels(across, p.width, left, right);
    covered_pixels(down, p.height, top, bottom);
    return {left, top, greater(right - left, 0), greater(bottom - top, 0)};
}

}  // namespace

Status paste(const Paste& p, Stream stream) {
    const Box box = box_of(p);
    const int64_t work = static_cast<int64_t>(box.width) * box.height;
    if (p.channels == 1) return launch_for(work, paste_kernel<1>, stream, p, box);
    if (p.channels == 2) return launch_for(work, paste_kernel<2>, stream, p, box);
    if (p.channels == 3) return launch_for(work, paste_kernel<3>, stream, p, box);
    return launch_for(work, paste_kernel<4>, stream, p, box);
}

}  // namespace mien::cuda
