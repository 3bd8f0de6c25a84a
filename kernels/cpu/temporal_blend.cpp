#include "cpu/bands.h"
#include "cpu/field.h"
#include "cpu/ops.h"
#include "cpu/taps.h"

namespace mien::MIEN_ISA {
namespace {

struct Fields {
    ScaledField<2> flow;
    ScaledField<1> weight;
};

inline float magnitude(float value) {
    return value < 0.0f ? -value : value;
}

template <int C>
void blend_chunk(const TemporalBlend& p, int64_t start, int32_t count, const float (*at)[kChunk], const float* factor) {
    Neighbours<C> found;
    look<C>(p.previous, {p.height, p.width, C}, Padding::border, count, at, found);
    uint32_t pixels[kChunk];
    load_row<C>(p.current + start * C, count, pixels);
    const float* px = at[0];
    const float* py = at[1];
    float strength[kChunk];
    for (int32_t i = 0; i < count; ++i) {
        const float there = p.strength * factor[i];
        strength[i] = on_picture(px[i], py[i], p.width, p.height) ? there : 0.0f;
    }
    for (int32_t i = 0; i < count; ++i) {
        float difference[C];
        float most = 0.0f;
        for (int c = 0; c < C; ++c) {
            difference[c] = tapped(found, i, c) - channel_of(pixels[i], c);
            most = greater(most, magnitude(difference[c]));
        }
        const float weight = temporal_weight(most, strength[i], p.inverse_threshold);
        uint32_t pixel = 0;
        for (int c = 0; c < C; ++c) {
            pixel |= channel_at(grey_level(channel_of(pixels[i], c) + difference[c] * weight), c);
        }
        pixels[i] = pixel;
    }
    store_row<C>(pixels, count, p.out + start * C);
}

template <int C>
void blend_rows(const TemporalBlend& p, int32_t first, int32_t last) {
    const Fields fields = {{p.flow, p.flow_height, p.flow_width, p.height, p.width},
                           {p.weight, p.weight_height, p.weight_width, p.height, p.width}};
    const int32_t step = p.weight == nullptr ? fields.flow.step() : lesser(fields.flow.step(), fields.weight.step());
    Across flow_across;
    Across weight_across;
    float at[2][kChunk];
    float factor[1][kChunk];
    for (int32_t i = 0; i < kChunk; ++i)
        factor[0][i] = 1.0f;
    for (int32_t x = 0; x < p.width; x += step) {
        const int32_t count = lesser(step, p.width - x);
        fields.flow.lay(x, count, flow_across);
        if (p.weight != nullptr) fields.weight.lay(x, count, weight_across);
        for (int32_t y = first; y < last; ++y) {
            fields.flow.read(y, x, count, flow_across, at);
            if (p.weight != nullptr) fields.weight.read(y, x, count, weight_across, factor);
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
