#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

constexpr int32_t kColumns = 1024;  // that a row is summed in, so that the sums stay on the stack

struct Box {
    float left;
    float right;
    float top;
    float bottom;
};

// Points have integer coordinates in pixel centres; here pixel i covers i..i+1.
inline float edge_based(float centred) {
    return centred + 0.5f;
}

// The box of an outline; empty if a point is not finite.
Box box_of(const float* points, int32_t count) {
    Box box = {1e30f, -1e30f, 1e30f, -1e30f};
    float sum = 0.0f;
    for (int32_t i = 0; i < count; ++i) {
        const float x = edge_based(points[2 * i]);
        const float y = edge_based(points[2 * i + 1]);
        box = {lesser(box.left, x), greater(box.right, x), lesser(box.top, y), greater(box.bottom, y)};
        sum += (x - x) + (y - y);
    }
    if (sum != 0.0f) box.bottom = box.top - 1.0f;
    return box;
}

// A piece within one column of pixels, `x` counting from the column's left.
inline void add_in_column(float* sums, int32_t column, float x_from, float x_to, float height) {
    const float beyond = (x_from + x_to) * 0.5f - static_cast<float>(column);
    sums[column] += height * (1.0f - beyond);
    sums[column + 1] += height * beyond;
}

// A piece within columns 0..columns, cut at the borders between columns.
void add_across(float* sums, Piece piece, int32_t columns) {
    const float low = lesser(piece.x_from, piece.x_to);
    const float high = greater(piece.x_from, piece.x_to);
    const int32_t first = lesser(static_cast<int32_t>(low), columns - 1);
    const int32_t last = lesser(static_cast<int32_t>(high), columns - 1);
    if (first == last) return add_in_column(sums, first, low, high, piece.height);
    const float slope = piece.height / (high - low);
    float x = low;
    for (int32_t column = first; column <= last; ++column) {
        const float next = column == last ? high : static_cast<float>(column + 1);
        add_in_column(sums, column, x, next, (next - x) * slope);
        x = next;
    }
}

// Adds a piece to the sums of `columns` columns (and one beyond). What lies left of them covers all of them, what lies
// right none.
void add_piece(float* sums, Piece piece, int32_t columns) {
    const float width = static_cast<float>(columns);
    const float from = clamped(piece.x_from, 0.0f, width);
    const float to = clamped(piece.x_to, 0.0f, width);
    const float run = piece.x_to - piece.x_from;
    if (from == to) {
        if (from == 0.0f && piece.x_from + piece.x_to <= 0.0f)
            sums[0] += piece.height;
        else
            add_across(sums, {from, to, piece.height}, columns);
        return;
    }
    const float inside = piece.height * ((to - from) / run);
    const float low = lesser(piece.x_from, piece.x_to);
    const float left = low < 0.0f ? piece.height * (-low / (run < 0.0f ? -run : run)) : 0.0f;
    sums[0] += left;
    add_across(sums, {from, to, inside}, columns);
}

struct Outline {
    const float* points;
    int32_t count;
};

void add_outline(float* sums, Outline outline, float row, float left, int32_t columns) {
    const float* from = outline.points + 2 * (outline.count - 1);
    for (int32_t i = 0; i < outline.count; ++i) {
        const float* to = outline.points + 2 * i;
        Piece piece = piece_in_row(edge_based(from[0]), edge_based(from[1]), edge_based(to[0]), edge_based(to[1]), row);
        from = to;
        if (piece.height == 0.0f) continue;
        piece.x_from -= left;
        piece.x_to -= left;
        add_piece(sums, piece, columns);
    }
}

// Sums to coverage, joined with what other outlines of the channel have covered; the sums are zeroed for the next.
void cover(float* sums, int32_t columns, float* out) {
    float sum = 0.0f;
    for (int32_t i = 0; i < columns; ++i) {
        sum += sums[i];
        sums[i] = 0.0f;
        out[i] = greater(out[i], covered(sum));
    }
    sums[columns] = 0.0f;
}

// Rows first..last-1 of one channel.
void fill_outline(const RasterizeParts& p, Outline outline, float* channel, int32_t first, int32_t last) {
    const Box box = box_of(outline.points, outline.count);
    const int32_t from = greater(first, static_cast<int32_t>(clamped(box.top, 0.0f, static_cast<float>(last))));
    const int32_t to = lesser(last, static_cast<int32_t>(clamped(box.bottom + 1.0f, 0.0f, static_cast<float>(last))));
    const int32_t left = static_cast<int32_t>(clamped(box.left, 0.0f, static_cast<float>(p.width)));
    const int32_t right = static_cast<int32_t>(clamped(box.right + 1.0f, 0.0f, static_cast<float>(p.width)));
    float sums[kColumns + 1] = {};
    for (int32_t y = from; y < to; ++y) {
        for (int32_t x = left; x < right; x += kColumns) {
            const int32_t columns = lesser(kColumns, right - x);
            add_outline(sums, outline, static_cast<float>(y), static_cast<float>(x), columns);
            cover(sums, columns, channel + static_cast<int64_t>(y) * p.width + x);
        }
    }
}

// Rows first..last-1 of all channels' rows, stacked.
void fill_rows(const RasterizeParts& p, int32_t first, int32_t last) {
    const int64_t width = p.width;
    __builtin_memset(p.out + first * width, 0, static_cast<size_t>((last - first) * width) * sizeof(float));
    for (int32_t i = 0; i < p.outline_count; ++i) {
        const int32_t channel_row = p.channels[i] * p.height;
        const int32_t from = greater(first - channel_row, 0);
        const int32_t to = lesser(last - channel_row, p.height);
        const Outline outline = {p.points + 2 * static_cast<int64_t>(p.starts[i]), p.starts[i + 1] - p.starts[i]};
        if (from < to && outline.count > 2) fill_outline(p, outline, p.out + channel_row * width, from, to);
    }
}

}  // namespace

void rasterize_parts(const RasterizeParts& p, int threads) {
    const int32_t rows = p.channel_count * p.height;
    for_bands(rows, p.width, threads, [&p](int32_t first, int32_t last) { fill_rows(p, first, last); });
}

}  // namespace mien::MIEN_ISA
