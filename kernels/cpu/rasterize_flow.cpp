#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

// One bound of a triangle's span, walked from row to row without a division: the quotient of (numerator / divisor),
// rounded down, whose numerator changes by the same amount on every row.
struct Walk {
    int64_t value;
    int64_t remainder;
    int64_t divisor;
    int64_t value_step;
    int64_t remainder_step;

    void advance() {
        value += value_step;
        remainder += remainder_step;
        const bool carry = remainder >= divisor;
        value += carry ? 1 : 0;
        remainder -= carry ? divisor : 0;
    }
};

Walk walk_from(int64_t numerator, int64_t step, int64_t divisor) {
    const int64_t value = floor_divided(numerator, divisor);
    const int64_t value_step = floor_divided(step, divisor);
    return {value, numerator - value * divisor, divisor, value_step, step - value_step * divisor};
}

// The pixels of a row inside of the triangle: first..last, as far as the three edges say.
struct Spans {
    Walk left[2];
    Walk right[2];
    int lefts;
    int rights;
    Edge level[3];
    int levels;
};

void add_edge(Spans& spans, Edge edge, int64_t y) {
    const int64_t offset = edge.run * y + edge.start;
    if (edge.rise > 0) {
        spans.left[spans.lefts++] = walk_from(edge.rise - 1 - offset, -edge.run, edge.rise);
    } else if (edge.rise < 0) {
        spans.right[spans.rights++] = walk_from(offset, edge.run, -edge.rise);
    } else {
        spans.level[spans.levels++] = edge;
    }
}

struct Fill {
    Plane x;
    Plane y;
    Plane z;
};

constexpr int32_t kBlock = 16;

// `count` pixels from (x, y) on, as far as they are nearer than what is there.
void fill_span(const RasterizeFlow& p, const Fill& fill, int32_t y, int32_t x, int32_t count) {
    const int64_t start = static_cast<int64_t>(y) * p.width + x;
    float* __restrict depth = p.depth + start;
    float* __restrict flow = p.flow + start * 2;
    const float z = plane_at(fill.z, x, y), dz = static_cast<float>(fill.z.across);
    const float u = plane_at(fill.x, x, y), du = static_cast<float>(fill.x.across);
    const float v = plane_at(fill.y, x, y), dv = static_cast<float>(fill.y.across);
    for (int32_t i = 0; i < count; ++i) {
        const float step = static_cast<float>(i);
        const float here = z + dz * step;
        const bool nearer = here < depth[i];
        depth[i] = nearer ? here : depth[i];
        flow[2 * i] = nearer ? u + du * step : flow[2 * i];
        flow[2 * i + 1] = nearer ? v + dv * step : flow[2 * i + 1];
    }
}

void fill_rows(const RasterizeFlow& p, const Fill& fill, Spans& spans, int32_t first, int32_t last) {
    for (int32_t y = first; y <= last; ++y) {
        int64_t from = 0;
        int64_t to = p.width - 1;
        for (int i = 0; i < spans.lefts; ++i)
            from = greater(from, spans.left[i].value), spans.left[i].advance();
        for (int i = 0; i < spans.rights; ++i)
            to = lesser(to, spans.right[i].value), spans.right[i].advance();
        bool inside = from <= to;
        for (int i = 0; i < spans.levels; ++i)
            inside &= spans.level[i].run * y + spans.level[i].start >= 0;
        if (inside) fill_span(p, fill, y, static_cast<int32_t>(from), static_cast<int32_t>(to - from + 1));
    }
}

Corner corner(const float* vertex) {
    return {snapped(vertex[0]), snapped(vertex[1])};
}

// The rows of one triangle that lie in first..last.
void draw(const RasterizeFlow& p, const int32_t* triangle, int32_t first, int32_t last) {
    const float* t[3];
    for (int i = 0; i < 3; ++i)
        t[i] = p.target + static_cast<int64_t>(triangle[i]) * 3;
    const float highest = lesser(t[0][1], lesser(t[1][1], t[2][1]));
    const float lowest = greater(t[0][1], greater(t[1][1], t[2][1]));
    if (highest > static_cast<float>(last) + 1.0f || lowest < static_cast<float>(first) - 1.0f) return;
    for (int i = 0; i < 3; ++i)
        if (!within_reach(t[i][0], t[i][1], t[i][2])) return;

    const Corner a = corner(t[0]);
    Corner b = corner(t[1]);
    Corner c = corner(t[2]);
    const int64_t area = doubled_area(a, b, c);
    if (area == 0) return;
    const float* s[3];
    for (int i = 0; i < 3; ++i)
        s[i] = p.source + static_cast<int64_t>(triangle[i]) * 2;
    const Fill fill = {plane_over(a, b, c, area, s[0][0], s[1][0], s[2][0]),
                       plane_over(a, b, c, area, s[0][1], s[1][1], s[2][1]),
                       plane_over(a, b, c, area, t[0][2], t[1][2], t[2][2])};
    if (area < 0) {
        const Corner swapped = b;
        b = c;
        c = swapped;
    }
    const int64_t top = floor_divided(lesser(a.y, lesser(b.y, c.y)) + kSubpixels - 1, kSubpixels);
    const int64_t bottom = floor_divided(greater(a.y, greater(b.y, c.y)), kSubpixels);
    const int64_t from = greater<int64_t>(first, top);
    const int64_t to = lesser<int64_t>(last, bottom);
    if (from > to) return;
    Spans spans;
    spans.lefts = spans.rights = spans.levels = 0;
    add_edge(spans, edge_between(a, b), from);
    add_edge(spans, edge_between(b, c), from);
    add_edge(spans, edge_between(c, a), from);
    fill_rows(p, fill, spans, static_cast<int32_t>(from), static_cast<int32_t>(to));
}

void clear(const RasterizeFlow& p, int32_t first, int32_t last) {
    for (int32_t y = first; y < last; ++y) {
        float* __restrict flow = p.flow + static_cast<int64_t>(y) * p.width * 2;
        float* __restrict depth = p.depth + static_cast<int64_t>(y) * p.width;
        for (int32_t x = 0; x < p.width; ++x) {
            flow[2 * x] = static_cast<float>(x);
            flow[2 * x + 1] = static_cast<float>(y);
            depth[x] = __builtin_inff();
        }
    }
}

}  // namespace

void rasterize_flow(const RasterizeFlow& p, int threads) {
    for_bands(p.height, p.width * int64_t{4}, threads, [&p](int32_t first, int32_t last) {
        clear(p, first, last);
        for (int64_t i = 0; i < p.triangle_count; ++i)
            draw(p, p.triangles + 3 * i, first, last - 1);
    });
}

}  // namespace mien::MIEN_ISA
