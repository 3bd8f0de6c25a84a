// A field of floats (a flow, a weight) read row by row at the size of the output.
#pragma once

#include "cpu/chunk.h"
#include "mien/sample.h"

namespace mien::MIEN_ISA {

// Which columns of a coarser or finer field lie under a chunk of pixels: the same for every row.
struct Across {
    int32_t first = 0;
    int32_t last = 0;
    int32_t low[kChunk];  // from the first on
    int32_t high[kChunk];
    float fraction[kChunk];
};

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

    bool scaled() const { return rows != out_rows || columns != out_columns; }

    // For output pixels x + i, i < count <= step().
    void lay(int32_t x, int32_t count, Across& across) const {
        if (!scaled()) return;
        const float ratio = size_ratio(columns, out_columns);
        across.first = border_axis(scaled_position(x, ratio), columns).low;
        across.last = border_axis(scaled_position(x + count - 1, ratio), columns).high;
        for (int32_t i = 0; i < count; ++i) {
            const Axis axis = border_axis(scaled_position(x + i, ratio), columns);
            across.low[i] = axis.low - across.first;
            across.high[i] = axis.high - across.first;
            across.fraction[i] = axis.fraction;
        }
    }

    // Fills at[v][i] for output pixels (y, x + i), i < count <= step().
    void read(int32_t y, int32_t x, int32_t count, float (*at)[kChunk]) const {
        Across across;
        lay(x, count, across);
        read(y, x, count, across, at);
    }

    // The same for pixels across which the field was laid.
    void read(int32_t y, int32_t x, int32_t count, const Across& across, float (*at)[kChunk]) const {
        if (scaled()) return read_scaled(y, count, across, at);
        const float* row = values + (static_cast<int64_t>(y) * columns + x) * kValues;
        for (int32_t i = 0; i < count; ++i)
            for (int32_t v = 0; v < kValues; ++v)
                at[v][i] = row[i * kValues + v];
    }

  private:
    void read_scaled(int32_t y, int32_t count, const Across& across, float (*at)[kChunk]) const {
        const Axis down = border_axis(scaled_position(y, size_ratio(rows, out_rows)), rows);
        const float* top = values + (static_cast<int64_t>(down.low) * columns + across.first) * kValues;
        const float* bottom = values + (static_cast<int64_t>(down.high) * columns + across.first) * kValues;
        float between[kValues][kChunk];
        for (int32_t i = 0; i <= across.last - across.first; ++i)
            for (int32_t v = 0; v < kValues; ++v)
                between[v][i] = mixed(top[i * kValues + v], bottom[i * kValues + v], down.fraction);
        for (int32_t v = 0; v < kValues; ++v)
            for (int32_t i = 0; i < count; ++i)
                at[v][i] = mixed(between[v][across.low[i]], between[v][across.high[i]], across.fraction[i]);
    }
};

}  // namespace mien::MIEN_ISA
