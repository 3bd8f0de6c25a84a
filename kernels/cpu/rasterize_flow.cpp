#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

// numerator / divisor rounded down, walked from row to row without a division: the numerator changes by the same
// amount on every row.
struct Walk {
    int64_t value;
    int64_t remainder;
    int64_t divisor;
    int64_t value_step;
    int64_t remainder_step;

    // Without a branch: whether a row carries is as good as random.
    void advance() {
        remainder += remainder_step;
        const int64_t carry = remainder >= divisor ? 1 : 0;
        value += value_step + carry;
        remainder -= divisor & -carry;
    }
};

Walk walk_from(int64_t numerator, int64_t step, int64_t divisor) {
    const int64_t value = floor_divided(numerator, divisor);
    const int64_t value_step = floor_divided(step, divisor);
    return {value, numerator - value * divisor, divisor, value_step, step - value_step * divisor};
}

constexpr int32_t kRows = 64;

// The columns from[i]..to[i] of rows y + i, i < count, that lie inside of the edges met so far.
struct Spans {
    int32_t y;
    int32_t count;
    int32_t width;
    int32_t from[kRows];
    int32_t to[kRows];
};

void open_spans(Spans& spans, int32_t y, int32_t count, int32_t width) {
    spans.y = y;
    spans.count = count;
    spans.width = width;
    for (int32_t i = 0; i < count; ++i) {
        spans.from[i] = 0;
        spans.to[i] = width - 1;
    }
}

void cut_left(Spans& spans, Walk walk) {
    for (int32_t i = 0; i < spans.count; ++i, walk.advance()) {
        const int64_t from = greater<int64_t>(spans.from[i], walk.value);
        spans.from[i] = static_cast<int32_t>(lesser<int64_t>(from, spans.width));
    }
}

void cut_right(Spans& spans, Walk walk) {
    for (int32_t i = 0; i < spans.count; ++i, walk.advance()) {
        const int64_t to = lesser<int64_t>(spans.to[i], walk.value);
        spans.to[i] = static_cast<int32_t>(greater<int64_t>(to, -1));
    }
}

void cut(Spans& spans, Edge edge) {
    const int64_t offset = edge.run * spans.y + edge.start;
    if (edge.rise > 0) return cut_left(spans, walk_from(edge.rise - 1 - offset, -edge.run, edge.rise));
    if (edge.rise < 0) return cut_right(spans, walk_from(offset, edge.run, -edge.rise));
    for (int32_t i = 0; i < spans.count; ++i) {
        if (edge.run * (spans.y + i) + edge.start < 0) spans.to[i] = -1;
    }
}

bool any(const Spans& spans) {
    int32_t found = 0;
    for (int32_t i = 0; i < spans.count; ++i)
        found |= spans.from[i] <= spans.to[i];
    return found != 0;
}

struct Fill {
    Plane x;
    Plane y;
    Plane z;
};

// A row of a triangle: values at its first pixel and their change per pixel.
struct Slope {
    float x, y, z;
    float dx, dy, dz;
};

Slope slope_at(const Fill& fill, int32_t x, int32_t y) {
    return {plane_at(fill.x, x, y),
            plane_at(fill.y, x, y),
            plane_at(fill.z, x, y),
            static_cast<float>(fill.x.across),
            static_cast<float>(fill.y.across),
            static_cast<float>(fill.z.across)};
}

// Draws pixel i of a span where it is nearer than what is there.
inline void draw_pixel(const Slope& s, int32_t i, float* depth, float* flow) {
    const float step = static_cast<float>(i);
    const float z = s.z + s.dz * step;
    if (!(z < depth[i])) return;
    depth[i] = z;
    flow[2 * i] = s.x + s.dx * step;
    flow[2 * i + 1] = s.y + s.dy * step;
}

constexpr int32_t kBlock = 4;
typedef float Depths __attribute__((vector_size(16)));
typedef int32_t DepthMask __attribute__((vector_size(16)));
typedef float Flows __attribute__((vector_size(32)));  // x and y of the block's pixels, alternating
typedef int32_t FlowMask __attribute__((vector_size(32)));
typedef int64_t PairMask __attribute__((vector_size(32)));  // one lane for each pixel's x and y together

// Draws whole blocks and returns how many pixels; those beyond `count` are written as they are. Spans are short, so
// a loop with a remainder would spend its time there: hence vectors by hand (an extension of GCC and Clang).
int32_t draw_blocks(const Slope& s, int32_t count, int64_t room, float* depth, float* flow) {
    const Depths steps = {0, 1, 2, 3};
    const DepthMask lanes = {0, 1, 2, 3};
    const Flows pair_steps = {0, 0, 1, 1, 2, 2, 3, 3};
    const Flows start = {s.x, s.y, s.x, s.y, s.x, s.y, s.x, s.y};
    const Flows change = {s.dx, s.dy, s.dx, s.dy, s.dx, s.dy, s.dx, s.dy};
    int32_t i = 0;
    for (; i < count && i + kBlock <= room; i += kBlock) {
        const float first = static_cast<float>(i);
        Depths was;
        __builtin_memcpy(&was, depth + i, sizeof(was));
        const Depths z = s.z + s.dz * (steps + first);
        const DepthMask nearer = (z < was) & (lanes < count - i);
        const Depths is = nearer ? z : was;
        __builtin_memcpy(depth + i, &is, sizeof(is));
        Flows flow_was;
        __builtin_memcpy(&flow_was, flow + 2 * i, sizeof(flow_was));
        const FlowMask drawn = (FlowMask) __builtin_convertvector(nearer, PairMask);
        const Flows flow_is = drawn ? start + change * (pair_steps + first) : flow_was;
        __builtin_memcpy(flow + 2 * i, &flow_is, sizeof(flow_is));
    }
    return i;
}

// `count` pixels from (x, y) on; the next `room` pixels are this thread's.
void fill_span(const RasterizeFlow& p, const Fill& fill, int32_t y, int32_t x, int32_t count, int64_t room) {
    const int64_t start = static_cast<int64_t>(y) * p.width + x;
    float* depth = p.depth + start;
    float* flow = p.flow + start * 2;
    const Slope slope = slope_at(fill, x, y);
    for (int32_t i = draw_blocks(slope, count, room, depth, flow); i < count; ++i)
        draw_pixel(slope, i, depth, flow);
}

// `end`: the row after the last that this thread may write.
void fill_spans(const RasterizeFlow& p, const Fill& fill, const Spans& spans, int32_t end) {
    for (int32_t i = 0; i < spans.count; ++i) {
        const int32_t y = spans.y + i;
        const int32_t from = spans.from[i];
        const int64_t room = static_cast<int64_t>(end - y) * p.width - from;
        if (from <= spans.to[i]) fill_span(p, fill, y, from, spans.to[i] - from + 1, room);
    }
}

// A triangle on the grid, and the first and last row of pixel centres that it can cover.
struct Shape {
    Corner a, b, c;
    int64_t top;
    int64_t bottom;
};

Corner corner(const float* vertex) {
    return {snapped(vertex[0]), snapped(vertex[1])};
}

Shape shape_of(Corner a, Corner b, Corner c) {
    const int64_t top = lesser(a.y, lesser(b.y, c.y));
    const int64_t bottom = greater(a.y, greater(b.y, c.y));
    return {a, b, c, floor_divided(top + kSubpixels - 1, kSubpixels), floor_divided(bottom, kSubpixels)};
}

Fill fill_of(const Shape& shape, int64_t area, const float* const* t, const float* const* s) {
    const Corner a = shape.a, b = shape.b, c = shape.c;
    return {plane_over(a, b, c, area, s[0][0], s[1][0], s[2][0]), plane_over(a, b, c, area, s[0][1], s[1][1], s[2][1]),
            plane_over(a, b, c, area, t[0][2], t[1][2], t[2][2])};
}

// Whether a triangle can reach rows first..last - 1 at all, decided without its set-up.
bool may_reach(const float* const* t, int32_t first, int32_t last) {
    const float highest = lesser(t[0][1], lesser(t[1][1], t[2][1]));
    const float lowest = greater(t[0][1], greater(t[1][1], t[2][1]));
    return highest <= static_cast<float>(last) && lowest >= static_cast<float>(first) - 1.0f;
}

// Draws the rows first..last - 1 of one triangle.
void draw(const RasterizeFlow& p, const int32_t* triangle, int32_t first, int32_t last) {
    const float* t[3];
    const float* s[3];
    for (int i = 0; i < 3; ++i) {
        t[i] = p.target + static_cast<int64_t>(triangle[i]) * 3;
        s[i] = p.source + static_cast<int64_t>(triangle[i]) * 2;
    }
    if (!may_reach(t, first, last)) return;
    for (int i = 0; i < 3; ++i) {
        if (!within_reach(t[i][0], t[i][1], t[i][2])) return;
    }
    const Shape shape = shape_of(corner(t[0]), corner(t[1]), corner(t[2]));
    const int64_t area = doubled_area(shape.a, shape.b, shape.c);
    const int32_t from = static_cast<int32_t>(greater<int64_t>(first, shape.top));
    const int32_t to = static_cast<int32_t>(lesser<int64_t>(last, shape.bottom + 1));
    if (area == 0 || from >= to) return;
    const Corner b = area > 0 ? shape.b : shape.c;
    const Corner c = area > 0 ? shape.c : shape.b;
    const Edge edges[3] = {edge_between(shape.a, b), edge_between(b, c), edge_between(c, shape.a)};
    Fill fill;  // set up at the first row that shows anything: a coarse flow has many triangles without one
    bool filled = false;
    Spans spans;
    for (int32_t y = from; y < to; y += kRows) {
        open_spans(spans, y, lesser(kRows, to - y), p.width);
        for (const Edge& edge : edges)
            cut(spans, edge);
        if (!any(spans)) continue;
        if (!filled) fill = fill_of(shape, area, t, s);
        filled = true;
        fill_spans(p, fill, spans, last);
    }
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
            draw(p, p.triangles + 3 * i, first, last);
    });
}

}  // namespace mien::MIEN_ISA
