#include "cpu/bands.h"
#include "cpu/field.h"
#include "cpu/ops.h"
#include "cpu/taps.h"

namespace mien::MIEN_ISA {
namespace {

typedef ScaledField<2> FlowField;

template <int C>
void warp_chunk(const FlowWarp& p, int32_t count, const float (*at)[kChunk], uint8_t* out) {
    Neighbours<C> found;
    look<C>(static_cast<const uint8_t*>(p.source), {p.height, p.width, C}, p.padding, count, at, found);
    uint32_t pixels[kChunk];
    for (int32_t i = 0; i < count; ++i) {
        uint32_t pixel = 0;
        for (int c = 0; c < C; ++c)
            pixel |= channel_at(grey_level(tapped(found, i, c)), c);
        pixels[i] = pixel;
    }
    store_row<C>(pixels, count, out);
}

// Any number of uint8 channels.
void warp_chunk_plainly(const FlowWarp& p, int32_t count, const float (*at)[kChunk], uint8_t* out) {
    const uint8_t* source = static_cast<const uint8_t*>(p.source);
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = padded_axis(at[0][i], p.width, p.padding);
        const Axis y = padded_axis(at[1][i], p.height, p.padding);
        for (int32_t c = 0; c < p.channels; ++c) {
            out[i * p.channels + c] = grey_level(sampled(source, p.height, p.width, p.channels, y, x, c));
        }
    }
}

inline void mix_features(const float* top, int32_t right, int32_t below, float across, float down, int32_t channels,
                         float* __restrict out) {
    const float* bottom = top + below;
    for (int32_t c = 0; c < channels; ++c) {
        out[c] = bilinear(top[c], top[c + right], bottom[c], bottom[c + right], across, down);
    }
}

void warp_chunk(const FlowWarp& p, int32_t count, const float (*at)[kChunk], float* out) {
    const Extent extent = {p.height, p.width, p.channels};
    const float* source = static_cast<const float*>(p.source);
    Taps taps;
    fill_taps(p.padding, extent, 0, count, at[0], at[1], taps);
    for (int32_t i = 0; i < count; ++i, out += p.channels) {
        if (taps.start[i] >= 0) {
            mix_features(source + taps.start[i], taps.right[i], taps.below[i], taps.across[i], taps.down[i], p.channels,
                         out);
            continue;
        }
        const Axis x = padded_axis(at[0][i], p.width, p.padding);
        const Axis y = padded_axis(at[1][i], p.height, p.padding);
        for (int32_t c = 0; c < p.channels; ++c)
            out[c] = sampled(source, p.height, p.width, p.channels, y, x, c);
    }
}

// A chunk's pixels one after the other, laid out as rows of planes that are `plane` elements apart.
template <int C>
void warp_chunk_to_planes(const FlowWarp& p, int32_t count, const float (*at)[kChunk], uint8_t* out, int64_t plane) {
    uint8_t pixels[kChunk * C];
    warp_chunk<C>(p, count, at, pixels);
    for (int c = 0; c < C; ++c) {
        for (int32_t i = 0; i < count; ++i)
            out[c * plane + i] = pixels[i * C + c];
    }
}

void warp_chunk_to_planes_plainly(const FlowWarp& p, int32_t count, const float (*at)[kChunk], uint8_t* out,
                                  int64_t plane) {
    const uint8_t* source = static_cast<const uint8_t*>(p.source);
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = padded_axis(at[0][i], p.width, p.padding);
        const Axis y = padded_axis(at[1][i], p.height, p.padding);
        for (int32_t c = 0; c < p.channels; ++c)
            out[c * plane + i] = grey_level(sampled(source, p.height, p.width, p.channels, y, x, c));
    }
}

constexpr int32_t kPlanes = 16;  // channels that a chunk turns over at a time: a cache line of each source pixel

void warp_chunk_to_planes(const FlowWarp& p, int32_t count, const float (*at)[kChunk], float* out, int64_t plane) {
    const Extent extent = {p.height, p.width, p.channels};
    const float* source = static_cast<const float*>(p.source);
    Taps taps;
    fill_taps(p.padding, extent, 0, count, at[0], at[1], taps);
    for (int32_t first = 0; first < p.channels; first += kPlanes) {
        const int32_t group = lesser(kPlanes, p.channels - first);
        float pixels[kChunk][kPlanes];
        for (int32_t i = 0; i < count; ++i) {
            if (taps.start[i] >= 0) {
                mix_features(source + taps.start[i] + first, taps.right[i], taps.below[i], taps.across[i], taps.down[i],
                             group, pixels[i]);
                continue;
            }
            const Axis x = padded_axis(at[0][i], p.width, p.padding);
            const Axis y = padded_axis(at[1][i], p.height, p.padding);
            for (int32_t c = 0; c < group; ++c)
                pixels[i][c] = sampled(source, p.height, p.width, p.channels, y, x, first + c);
        }
        for (int32_t c = 0; c < group; ++c) {
            float* row = out + (first + c) * plane;
            for (int32_t i = 0; i < count; ++i)
                row[i] = pixels[i][c];
        }
    }
}

template <class T, class Chunk>
void warp_rows_to_planes(const FlowWarp& p, int32_t first, int32_t last, const Chunk& chunk) {
    const FlowField field = {p.flow, p.flow_height, p.flow_width, p.out_height, p.out_width};
    const int64_t plane = static_cast<int64_t>(p.out_height) * p.out_width;
    const int32_t step = field.step();
    float at[2][kChunk];
    for (int32_t y = first; y < last; ++y) {
        T* row = static_cast<T*>(p.out) + static_cast<int64_t>(y) * p.out_width;
        for (int32_t x = 0; x < p.out_width; x += step) {
            const int32_t count = lesser(step, p.out_width - x);
            field.read(y, x, count, at);
            chunk(p, count, at, row + x, plane);
        }
    }
}

template <class T, class Chunk>
void warp_rows(const FlowWarp& p, int32_t first, int32_t last, const Chunk& chunk) {
    const FlowField field = {p.flow, p.flow_height, p.flow_width, p.out_height, p.out_width};
    const int32_t step = field.step();
    float at[2][kChunk];
    for (int32_t y = first; y < last; ++y) {
        T* row = static_cast<T*>(p.out) + static_cast<int64_t>(y) * p.out_width * p.channels;
        for (int32_t x = 0; x < p.out_width; x += step) {
            const int32_t count = lesser(step, p.out_width - x);
            field.read(y, x, count, at);
            chunk(p, count, at, row + static_cast<int64_t>(x) * p.channels);
        }
    }
}

typedef void (*BytePlanes)(const FlowWarp&, int32_t, const float (*)[kChunk], uint8_t*, int64_t);

BytePlanes byte_planes(int32_t channels) {
    if (channels == 1) return warp_chunk_to_planes<1>;
    if (channels == 3) return warp_chunk_to_planes<3>;
    if (channels == 4) return warp_chunk_to_planes<4>;
    return warp_chunk_to_planes_plainly;
}

void warp_to_planes(const FlowWarp& p, int32_t first, int32_t last) {
    if (p.type == Type::u8) return warp_rows_to_planes<uint8_t>(p, first, last, byte_planes(p.channels));
    const auto chunk = [](const FlowWarp& q, int32_t count, const float (*at)[kChunk], float* out, int64_t plane) {
        warp_chunk_to_planes(q, count, at, out, plane);
    };
    warp_rows_to_planes<float>(p, first, last, chunk);
}

typedef void (*ByteChunk)(const FlowWarp&, int32_t, const float (*)[kChunk], uint8_t*);

ByteChunk byte_chunk(int32_t channels) {
    if (channels == 1) return warp_chunk<1>;
    if (channels == 3) return warp_chunk<3>;
    if (channels == 4) return warp_chunk<4>;
    return warp_chunk_plainly;
}

}  // namespace

void flow_warp(const FlowWarp& p, int threads) {
    const int64_t row_work = static_cast<int64_t>(p.out_width) * p.channels;
    for_bands(p.out_height, row_work, threads, [&p](int32_t first, int32_t last) {
        if (p.layout == Layout::nchw) return warp_to_planes(p, first, last);
        if (p.type == Type::u8) return warp_rows<uint8_t>(p, first, last, byte_chunk(p.channels));
        const auto chunk = [](const FlowWarp& q, int32_t count, const float (*at)[kChunk], float* out) {
            warp_chunk(q, count, at, out);
        };
        warp_rows<float>(p, first, last, chunk);
    });
}

}  // namespace mien::MIEN_ISA
