// A field of floats (a flow, a weight) read at one pixel of the output's size.
#pragma once

#include "cuda/launch.h"
#include "mien/sample.h"

namespace mien::cuda {

// (rows, columns, values) at (out_rows, out_columns). Rows are mixed before columns, as on the host, to the same bits.
struct Field {
    const float* values;
    int32_t rows;
    int32_t columns;
    int32_t out_rows;
    int32_t out_columns;
    float down_ratio;
    float across_ratio;
};

MIEN_HD Field field_of(const float* values, int32_t rows, int32_t columns, int32_t out_rows, int32_t out_columns) {
    return {values, rows, columns, out_rows, out_columns, size_ratio(rows, out_rows), size_ratio(columns, out_columns)};
}

template <int kValues>
struct Read {
    float values[kValues];
};

template <int kValues>
__device__ Read<kValues> read_field(const Field& f, int32_t y, int32_t x) {
    Read<kValues> read;
    if (f.rows == f.out_rows && f.columns == f.out_columns) {
        const float* at = f.values + (static_cast<int64_t>(y) * f.columns + x) * kValues;
#pragma unroll
        for (int v = 0; v < kValues; ++v)
            read.values[v] = at[v];
        return read;
    }
    const Axis down = border_axis(scaled_position(y, f.down_ratio), f.rows);
    const Axis across = border_axis(scaled_position(x, f.across_ratio), f.columns);
    const float* top = f.values + static_cast<int64_t>(down.low) * f.columns * kValues;
    const float* bottom = f.values + static_cast<int64_t>(down.high) * f.columns * kValues;
#pragma unroll
    for (int v = 0; v < kValues; ++v) {
        const int32_t left = across.low * kValues + v;
        const int32_t right = across.high * kValues + v;
        read.values[v] = mixed(mixed(top[left], bottom[left], down.fraction),
                               mixed(top[right], bottom[right], down.fraction), across.fraction);
    }
    return read;
}

}  // namespace mien::cuda
