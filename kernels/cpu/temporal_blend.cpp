#include "cpu/bands.h"
#include "cpu/ops.h"
#include "cpu/taps.h"

namespace mien::MIEN_ISA {
namespace {

struct Fields {
    ScaledField<2> flow;
    ScaledField<1> weight;
};

template <int C>
float largest(Lanes value) {
    float most = 0.0f;
    for (int c = 0; c < C; ++c)
        most = greater(most, greater(value[c], -value[c]));
    return most;
}

template <int C>
void blend_chunk(const TemporalBlend& p, int64_t start, int32_t count, const float (*at)[kChunk], const float* factor) {
    const Extent extent = {p.height, p.width, C};
    Taps taps;
    fill_taps(Padding::border, extent, kOverread<C>, count, at[0], at[1], taps);
    float strength[kChunk];
    for (int32_t i = 0; i < count; ++i) {
        strength[i] = on_picture(at[0][i], at[1][i], p.width, p.height) ? p.strength * factor[i] : 0.0f;
    }
    uint8_t now[kChunk * C + 4];
    uint8_t row[kChunk * C + 4];
    __builtin_memcpy(now, p.current + start * C, static_cast<size_t>(count * C));
    for (int32_t i = 0; i < count; ++i) {
        const Lanes current = load_lanes(now + i * C);
        const Lanes carried = tapped<C>(p.previous, extent, Padding::border, taps, i, at[0][i], at[1][i]);
        const Lanes difference = carried - current;
        const float weight = temporal_weight(largest<C>(difference), strength[i], p.inverse_threshold);
        store_grey(row + i * C, current + difference * weight);
    }
    __builtin_memcpy(p.out + start * C, row, static_cast<size_t>(count * C));
}

template <int C>
void blend_rows(const TemporalBlend& p, int32_t first, int32_t last) {
    const Fields fields = {{p.flow, p.flow_height, p.flow_width, p.height, p.width},
                           {p.weight, p.weight_height, p.weight_width, p.height, p.width}};
    const int32_t step = p.weight == nullptr ? fields.flow.chunk() : lesser(fields.flow.chunk(), fields.weight.chunk());
    float at[2][kChunk];
    float factor[1][kChunk];
    for (int32_t i = 0; i < kChunk; ++i)
        factor[0][i] = 1.0f;
    for (int32_t y = first; y < last; ++y) {
        for (int32_t x = 0; x < p.width; x += step) {
            const int32_t count = lesser(step, p.width - x);
            fields.flow.read(y, x, count, at);
            if (p.weight != nullptr) fields.weight.read(y, x, count, factor);
            blend_chunk<C>(p, static_cast<int64_t>(y) * p.width + x, count, at, factor[0]);
        }
    }
}

}  // namespace

void temporal_blend(const TemporalBlend& p, int threads) {
    for_bands(p.height, static_cast<int64_t>(p.width) * p.channels, threads, [&p](int32_t first, int32_t last) {
        if (p.channels == 3) return blend_rows<3>(p, first, last);
        blend_rows<4>(p, first, last);
    });
}

}  // namespace mien::MIEN_ISA
