// Outlines of landmarks filled into the channels of a parsing map, anti-aliased by the area that they cover.
#pragma once

#include "mien/portable.h"

namespace mien {

struct RasterizeParts {
    const float* points;      // (points, 2): x, y in pixels
    const int32_t* starts;    // (outline_count + 1): outline i has points starts[i] .. starts[i + 1] - 1, and is closed
    const int32_t* channels;  // (outline_count): the channel that each outline fills
    float* out;               // (channel_count, height, width), 0..1
    int32_t outline_count;
    int32_t channel_count;
    int32_t height;
    int32_t width;
};

namespace MIEN_ISA {

// A piece of an edge within one row of pixels: y runs 0..1 over the row, x counts from the left of column 0.
// `height` is signed: positive where the outline goes down.
struct Piece {
    float x_from;
    float x_to;
    float height;
};

// What pieces left of a column cover of it: a piece covers everything to its right. Summed over all pieces of a row
// from the left (each adds to the column it lies in and hands the rest to the next), this is the winding number,
// averaged over the pixel.
MIEN_HD float covered(float sum) {
    const float magnitude = sum < 0.0f ? -sum : sum;
    return lesser(magnitude, 1.0f);
}

// The part of a -> b between the heights `top` and `top` + 1; `height` is 0 where there is none.
MIEN_HD Piece piece_in_row(float ax, float ay, float bx, float by, float top) {
    const float from = clamped(ay, top, top + 1.0f);
    const float to = clamped(by, top, top + 1.0f);
    if (from == to) return {0.0f, 0.0f, 0.0f};
    const float slope = (bx - ax) / (by - ay);
    return {ax + (from - ay) * slope, ax + (to - ay) * slope, to - from};
}

// What a piece alone covers of the pixel whose left border is `column`: all of its height where it passes left of the
// pixel, nothing where it passes right.
MIEN_HD float cover_of_pixel(const Piece& piece, float column) {
    const float low = lesser(piece.x_from, piece.x_to) - column;
    const float high = greater(piece.x_from, piece.x_to) - column;
    if (low >= 1.0f) return 0.0f;
    if (high <= 0.0f) return piece.height;
    const float run = high - low;
    if (run <= 0.0f) return piece.height * (1.0f - low);
    const float left = greater(-low, 0.0f);
    const float from = greater(low, 0.0f);
    const float to = lesser(high, 1.0f);
    return piece.height * ((left + (to - from) * (1.0f - (from + to) * 0.5f)) / run);
}

}  // namespace MIEN_ISA
}  // namespace mien
