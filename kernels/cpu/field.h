// A field of floats (a flow, a weight) read row by row at the size of the output.
#pragma once

#include "cpu/chunk.h"
#include "mien/sample.h"

namespace mien::MIEN_ISA {

// (rows, columns, kValues) at (out_rows, out_columns); kChunk pixels at most are read at once.
template <int kValues>
struct ScaledField {
    const float* values;
    int32_t rows;
    int32_t columns;
    int32_t out_rows;
    int32_t out_columns;

    // Pixels to read at once: so few that the columns of the field under them fit into a chunk.
    int32_t step() const {
        if (columns <= out_columns) return kChunk - 2;
        return greater(1, static_cast<int32_t>(static_cast<int64_t>(kChunk - 4) * out_columns / columns));
    }

    // Fills at[v][i] for output pixels (y, x + i), i < count <= step().
    void read(int32_t y, int32_t x, int32_t count, float (*at)[kChunk]) const {
        if (rows != out_rows || columns != out_columns) return read_scaled(y, x, count, at);
        const float* row = values + (static_cast<int64_t>(y) * columns + x) * kValues;
        for (int32_t i = 0; i < count; ++i)
            for (int32_t v = 0; v < kValues; ++v)
                at[v][i] = row[i * kValues + v];
    }

  private:
    void read_scaled(int32_t y, int32_t x, int32_t count, float (*at)[kChunk]) const {
        const Axis down = border_axis(scaled_position(y, size_ratio(rows, out_rows)), rows);
        const float ratio = size_ratio(columns, out_columns);
        const int32_t first = border_axis(scaled_position(x, ratio), columns).low;
        const int32_t last = border_axis(scaled_position(x + count - 1, ratio), columns).high;
        const float* top = values + (static_cast<int64_t>(down.low) * columns + first) * kValues;
        const float* bottom = values + (static_cast<int64_t>(down.high) * columns + first) * kValues;
        float between[kValues][kChunk];
        for (int32_t i = 0; i <= last - first; ++i)
            for (int32_t v = 0; v < kValues; ++v)
                between[v][i] = mixed(top[i * kValues + v], bottom[i * kValues + v], down.fraction);
        int32_t low[kChunk];
        int32_t high[kChunk];
        float fraction[kChunk];
        for (int32_t i = 0; i < count; ++i) {
            const Axis across = border_axis(scaled_position(x + i, ratio), columns);
            low[i] = across.low - first;
            high[i] = across.high - first;
            fraction[i] = across.fraction;
        }
        for (int32_t v = 0; v < kValues; ++v)
            for (int32_t i = 0; i < count; ++i)
                at[v][i] = mixed(between[v][low[i]], between[v][high[i]], fraction[i]);
    }
};

}  // namespace mien::MIEN_ISA
