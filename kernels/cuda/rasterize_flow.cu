// Pixels gather rather than triangles scatter: a block owns a tile, finds the triangles that may reach it, in their
// order, and every pixel keeps the nearest. No depth buffer is shared, so nothing is atomic and every run is the same.
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "mien/rasterize_flow.h"

namespace mien::cuda {
namespace {

constexpr int kTileWidth = 16;
constexpr int kTileHeight = 8;
constexpr int kTile = kTileWidth * kTileHeight;  // pixels, and threads, and triangles looked at in one round
constexpr int kWarp = 32;

// A triangle ready to be drawn.
struct Placed {
    Edge edges[3];
    Plane x;
    Plane y;
    Plane z;
};

struct Tile {
    int32_t left;
    int32_t top;
};

struct Triangle {
    const float* target[3];
    const float* source[3];
    Corner corners[3];
    int64_t area;
};

__device__ Corner corner(const float* vertex) {
    return {snapped(vertex[0]), snapped(vertex[1])};
}

// False for what is not drawn at all: indices that name no vertex, corners out of reach, no area.
__device__ bool look_up(const RasterizeFlow& p, int32_t vertex_count, int64_t index, Triangle& t) {
#pragma unroll
    for (int i = 0; i < 3; ++i) {
        const int32_t vertex = p.triangles[index * 3 + i];
        if (vertex < 0 || vertex >= vertex_count) return false;
        t.target[i] = p.target + static_cast<int64_t>(vertex) * 3;
        t.source[i] = p.source + static_cast<int64_t>(vertex) * 2;
        if (!within_reach(t.target[i][0], t.target[i][1], t.target[i][2])) return false;
        t.corners[i] = corner(t.target[i]);
    }
    t.area = doubled_area(t.corners[0], t.corners[1], t.corners[2]);
    return t.area != 0;
}

// Whether a span of subpixels, from the least to the most of three, meets pixels first..first + count - 1.
__device__ bool meets(int64_t a, int64_t b, int64_t c, int32_t first, int32_t count) {
    const int64_t low = lesser(a, lesser(b, c));
    const int64_t high = greater(a, greater(b, c));
    return high >= first * kSubpixels && low <= (first + count - 1) * kSubpixels;
}

__device__ bool reaches(const Triangle& t, Tile tile) {
    return meets(t.corners[0].x, t.corners[1].x, t.corners[2].x, tile.left, kTileWidth) &&
           meets(t.corners[0].y, t.corners[1].y, t.corners[2].y, tile.top, kTileHeight);
}

__device__ Plane plane_of(const Triangle& t, float at_a, float at_b, float at_c) {
    return plane_over(t.corners[0], t.corners[1], t.corners[2], t.area, at_a, at_b, at_c);
}

__device__ void place(const Triangle& t, Placed& placed) {
    const Corner a = t.corners[0];
    const Corner b = t.area > 0 ? t.corners[1] : t.corners[2];
    const Corner c = t.area > 0 ? t.corners[2] : t.corners[1];
    placed.edges[0] = edge_between(a, b);
    placed.edges[1] = edge_between(b, c);
    placed.edges[2] = edge_between(c, a);
    placed.x = plane_of(t, t.source[0][0], t.source[1][0], t.source[2][0]);
    placed.y = plane_of(t, t.source[0][1], t.source[1][1], t.source[2][1]);
    placed.z = plane_of(t, t.target[0][2], t.target[1][2], t.target[2][2]);
}

// This thread's place among the threads of the block for which `wanted` holds, and how many they are.
__device__ int ranked(bool wanted, int& total) {
    __shared__ int counts[kTile / kWarp];
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const unsigned votes = __ballot_sync(~0u, wanted);
    if (lane == 0) counts[warp] = __popc(votes);
    __syncthreads();
    int rank = __popc(votes & ((1u << lane) - 1u));
    total = 0;
    for (int i = 0; i < kTile / kWarp; ++i) {
        if (i < warp) rank += counts[i];
        total += counts[i];
    }
    return rank;
}

__device__ bool inside(const Placed& placed, int32_t x, int32_t y) {
    bool all = true;
#pragma unroll
    for (int i = 0; i < 3; ++i) {
        const Edge& e = placed.edges[i];
        all &= e.rise * x + (e.run * y + e.start) >= 0;
    }
    return all;
}

struct Pixel {
    int32_t x;
    int32_t y;
    float depth;
    float from_x;
    float from_y;
};

__device__ void draw(const Placed& placed, Pixel& pixel) {
    if (!inside(placed, pixel.x, pixel.y)) return;
    const float z = plane_at(placed.z, pixel.x, pixel.y);
    if (!(z < pixel.depth)) return;
    pixel.depth = z;
    pixel.from_x = plane_at(placed.x, pixel.x, pixel.y);
    pixel.from_y = plane_at(placed.y, pixel.x, pixel.y);
}

__global__ void __launch_bounds__(kTile) rasterize_flow_kernel(RasterizeFlow p, int32_t vertex_count, int32_t across) {
    __shared__ Placed placed[kTile];
    const int32_t thread = static_cast<int32_t>(threadIdx.x);
    const int32_t tile_row = static_cast<int32_t>(blockIdx.x) / across;
    const Tile tile = {(static_cast<int32_t>(blockIdx.x) - tile_row * across) * kTileWidth, tile_row * kTileHeight};
    Pixel pixel = {tile.left + thread % kTileWidth, tile.top + thread / kTileWidth, INFINITY, 0.0f, 0.0f};
    pixel.from_x = static_cast<float>(pixel.x);
    pixel.from_y = static_cast<float>(pixel.y);
    for (int64_t first = 0; first < p.triangle_count; first += kTile) {
        Triangle triangle;
        const int64_t index = first + thread;
        const bool drawn =
            index < p.triangle_count && look_up(p, vertex_count, index, triangle) && reaches(triangle, tile);
        int total;
        const int rank = ranked(drawn, total);
        if (drawn) place(triangle, placed[rank]);
        __syncthreads();
        for (int i = 0; i < total; ++i)
            draw(placed[i], pixel);
        __syncthreads();
    }
    if (pixel.x >= p.width || pixel.y >= p.height) return;
    const int64_t at = static_cast<int64_t>(pixel.y) * p.width + pixel.x;
    p.depth[at] = pixel.depth;
    p.flow[2 * at] = pixel.from_x;
    p.flow[2 * at + 1] = pixel.from_y;
}

}  // namespace

Status rasterize_flow(const RasterizeFlow& p, int32_t vertex_count, Stream stream) {
    const int32_t across = (p.width + kTileWidth - 1) / kTileWidth;
    const int64_t tiles = static_cast<int64_t>(across) * ((p.height + kTileHeight - 1) / kTileHeight);
    if (tiles <= 0) return cudaSuccess;
    return launch(rasterize_flow_kernel, dim3(static_cast<unsigned>(tiles)), kTile, 0, stream, p, vertex_count, across);
}

}  // namespace mien::cuda
