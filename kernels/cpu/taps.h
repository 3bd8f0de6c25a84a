// Row by row bilinear sampling: where to look comes first, for many pixels at once, then the looking.
#pragma once

#include "cpu/lanes.h"
#include "mien/sample.h"

namespace mien::MIEN_ISA {

// A field (rows, columns, kFields floats) read at another size, one chunk of an output row after the other.
template <int kFields>
struct ScaledField {
    const float* values;
    int32_t rows;
    int32_t columns;
    int32_t out_rows;
    int32_t out_columns;

    // Columns of the field that `pixels` output pixels touch are at most kChunk.
    int32_t chunk() const {
        if (columns <= out_columns) return kChunk - 2;
        return greater(1, static_cast<int32_t>(static_cast<int64_t>(kChunk - 4) * out_columns / columns));
    }

    // Fills fields[f][i] for output pixels (y, x + i), i < count.
    void read(int32_t y, int32_t x, int32_t count, float (*fields)[kChunk]) const {
        if (rows == out_rows && columns == out_columns) {
            const float* row = values + (static_cast<int64_t>(y) * columns + x) * kFields;
            for (int32_t i = 0; i < count; ++i)
                for (int32_t f = 0; f < kFields; ++f)
                    fields[f][i] = row[i * kFields + f];
            return;
        }
        read_scaled(y, x, count, fields);
    }

  private:
    void read_scaled(int32_t y, int32_t x, int32_t count, float (*fields)[kChunk]) const {
        const Axis down = border_axis(scaled_position(y, size_ratio(rows, out_rows)), rows);
        const float ratio = size_ratio(columns, out_columns);
        const int32_t first = border_axis(scaled_position(x, ratio), columns).low;
        const int32_t last = border_axis(scaled_position(x + count - 1, ratio), columns).high;
        const float* top = values + (static_cast<int64_t>(down.low) * columns + first) * kFields;
        const float* bottom = values + (static_cast<int64_t>(down.high) * columns + first) * kFields;
        float between[kChunk * kFields];
        for (int32_t i = 0; i < (last - first + 1) * kFields; ++i)
            between[i] = mixed(top[i], bottom[i], down.fraction);
        for (int32_t i = 0; i < count; ++i) {
            const Axis across = border_axis(scaled_position(x + i, ratio), columns);
            const float* low = between + (across.low - first) * kFields;
            const float* high = between + (across.high - first) * kFields;
            for (int32_t f = 0; f < kFields; ++f)
                fields[f][i] = mixed(low[f], high[f], across.fraction);
        }
    }
};

// For each pixel of a chunk the top left neighbour's element offset, the steps to the others, and the fractions.
// `start` is negative where not all four neighbours can be read by a vector: outside of the picture, or at its end.
struct Taps {
    int32_t start[kChunk];
    int32_t right[kChunk];
    int32_t below[kChunk];
    float across[kChunk];
    float down[kChunk];
};

struct Extent {
    int32_t height;
    int32_t width;
    int32_t channels;
};

// `overread`: elements that a vector reads beyond the pixel's channels.
inline void border_taps(Extent extent, int32_t overread, int32_t count, const float* px, const float* py, Taps& taps) {
    const int32_t pitch = extent.width * extent.channels;
    const int32_t last_start = extent.height * pitch - extent.channels - overread;
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = border_axis(px[i], extent.width);
        const Axis y = border_axis(py[i], extent.height);
        const int32_t start = y.low * pitch + x.low * extent.channels;
        const int32_t right = (x.high - x.low) * extent.channels;
        const int32_t below = (y.high - y.low) * pitch;
        taps.start[i] = start + right + below > last_start ? -1 : start;
        taps.right[i] = right;
        taps.below[i] = below;
        taps.across[i] = x.fraction;
        taps.down[i] = y.fraction;
    }
}

inline void zero_taps(Extent extent, int32_t overread, int32_t count, const float* px, const float* py, Taps& taps) {
    const int32_t pitch = extent.width * extent.channels;
    const int32_t last_start = extent.height * pitch - extent.channels - overread;
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = zero_axis(px[i], extent.width);
        const Axis y = zero_axis(py[i], extent.height);
        const int32_t start = y.low * pitch + x.low * extent.channels;
        const bool inside = (x.low >= 0) & (x.high < extent.width) & (y.low >= 0) & (y.high < extent.height);
        taps.start[i] = inside & (start + extent.channels + pitch <= last_start) ? start : -1;
        taps.right[i] = extent.channels;
        taps.below[i] = pitch;
        taps.across[i] = x.fraction;
        taps.down[i] = y.fraction;
    }
}

inline void fill_taps(Padding padding, Extent extent, int32_t overread, int32_t count, const float* px, const float* py,
                      Taps& taps) {
    if (padding == Padding::border) return border_taps(extent, overread, count, px, py, taps);
    zero_taps(extent, overread, count, px, py, taps);
}

// All channels of pixel i of a chunk; C is 1..4, and lanes beyond C hold anything.
template <int C>
inline Lanes tapped(const uint8_t* picture, Extent extent, Padding padding, const Taps& taps, int32_t i, float px,
                    float py) {
    if (taps.start[i] < 0) {
        const Axis x = padded_axis(px, extent.width, padding);
        const Axis y = padded_axis(py, extent.height, padding);
        Lanes value = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int c = 0; c < C; ++c)
            value[c] = sampled(picture, extent.height, extent.width, C, y, x, c);
        return value;
    }
    const uint8_t* top = picture + taps.start[i];
    const uint8_t* bottom = top + taps.below[i];
    const int32_t right = taps.right[i];
    return bilinear(load_lanes(top), load_lanes(top + right), load_lanes(bottom), load_lanes(bottom + right),
                    taps.across[i], taps.down[i]);
}

template <int C>
constexpr int32_t kOverread = 4 - C;

}  // namespace mien::MIEN_ISA
