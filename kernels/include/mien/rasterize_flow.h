// Triangles of a mesh turned into a backward flow: every covered pixel is told where it was in the source.
#pragma once

#include "mien/portable.h"

namespace mien {

struct RasterizeFlow {
    const float* target;       // (vertices, 3): x, y in pixels of the output, z smaller is nearer
    const float* source;       // (vertices, 2): x, y in pixels of the source
    const int32_t* triangles;  // (triangle_count, 3), indices of vertices
    float* flow;               // out (height, width, 2): absolute source position, x then y; own position if uncovered
    float* depth;              // out (height, width): z of the nearest triangle, +inf if uncovered
    int32_t triangle_count;
    int32_t height;
    int32_t width;
};

namespace MIEN_ISA {

constexpr int64_t kSubpixels = 256;
// Beyond this many pixels from the origin a triangle is skipped: its edge functions would leave 64 bits.
constexpr float kFarthest = 2097152.0f;

// A vertex on the grid of 1/256 pixel, on which coverage is decided exactly.
struct Corner {
    int64_t x;
    int64_t y;
};

MIEN_HD bool within_reach(float x, float y, float z) {
    const bool flat = x > -kFarthest && x < kFarthest && y > -kFarthest && y < kFarthest;
    return flat && z - z == 0.0f;
}

MIEN_HD int64_t snapped(float position) {
    const double scaled = static_cast<double>(position) * static_cast<double>(kSubpixels) + 0.5;
    const int64_t truncated = static_cast<int64_t>(scaled);
    return truncated - (static_cast<double>(truncated) > scaled ? 1 : 0);
}

// Twice the signed area, in subpixels squared.
MIEN_HD int64_t doubled_area(Corner a, Corner b, Corner c) {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// A pixel lies inside of an edge a -> b (of a triangle of positive area) where rise * x + offset(y) >= 0, with
// offset(y) = run * y + start. A pixel centre right on an edge belongs to the triangle whose left or top edge it is, so
// that of two triangles that share an edge exactly one has it.
struct Edge {
    int64_t rise;
    int64_t run;
    int64_t start;
};

MIEN_HD Edge edge_between(Corner a, Corner b) {
    const int64_t dx = b.x - a.x;
    const int64_t dy = b.y - a.y;
    const bool owns_boundary = dy < 0 || (dy == 0 && dx > 0);
    return {-dy * kSubpixels, dx * kSubpixels, dy * a.x - dx * a.y - (owns_boundary ? 0 : 1)};
}

MIEN_HD int64_t floor_divided(int64_t value, int64_t divisor) {
    const int64_t quotient = value / divisor;
    return quotient - (value - quotient * divisor < 0 ? 1 : 0);
}

// A quantity that is linear over the triangle: at(x, y) = origin + across * x + down * y relative to the first corner.
// Double, because a sliver's gradients are large and cancel.
struct Plane {
    double origin;
    double across;
    double down;
};

MIEN_HD Plane plane_over(Corner a, Corner b, Corner c, int64_t area, float at_a, float at_b, float at_c) {
    const double to_b = static_cast<double>(at_b) - static_cast<double>(at_a);
    const double to_c = static_cast<double>(at_c) - static_cast<double>(at_a);
    const double scale = static_cast<double>(kSubpixels) / static_cast<double>(area);
    const double across = (to_b * static_cast<double>(c.y - a.y) - to_c * static_cast<double>(b.y - a.y)) * scale;
    const double down = (to_c * static_cast<double>(b.x - a.x) - to_b * static_cast<double>(c.x - a.x)) * scale;
    const double subpixel = 1.0 / static_cast<double>(kSubpixels);
    const double x = static_cast<double>(a.x) * subpixel;
    const double y = static_cast<double>(a.y) * subpixel;
    return {static_cast<double>(at_a) - across * x - down * y, across, down};
}

MIEN_HD float plane_at(Plane plane, int32_t x, int32_t y) {
    return static_cast<float>(plane.origin + plane.across * static_cast<double>(x) +
                              plane.down * static_cast<double>(y));
}

}  // namespace MIEN_ISA
}  // namespace mien
