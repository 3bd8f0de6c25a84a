// An eye of one picture drawn between the lids of another: the iris moved, the rest kept, what the lids hide left out.
#pragma once

#include "mien/sample.h"

namespace mien {

constexpr int32_t kRimPoints = 9;

// A lid's rim in an eye's coordinates, in rising order of x.
struct Rim {
    float x[kRimPoints];
    float y[kRimPoints];
    float inverse[kRimPoints - 1];  // 1 / way to the next x
};

// Coordinates of an eye: the origin lies between its corners, x along them, the unit is their distance.
struct DrawEye {
    uint8_t* out;            // (height, width, 3), changed in place
    const uint8_t* picture;  // (picture_height, picture_width, channels)
    const float* mask;       // (rows, columns): how much of each pixel of the box lies between the target's lids
    int32_t height;
    int32_t width;
    int32_t picture_height;
    int32_t picture_width;
    int32_t channels;  // of the picture, 3 or 4; the fourth is not looked at
    int32_t left;      // of the box in out
    int32_t top;
    int32_t rows;
    int32_t columns;
    float to_eye[6];      // 2 x 3, out pixel -> the target's eye
    float to_picture[6];  // 2 x 3, the picture's eye -> its pixel
    float look[2];        // middle of the target's iris
    float own_look[2];    // middle of the picture's iris
    float inverse_radius;
    float fade;          // iris radii from its middle at which the eye rests
    float inverse_span;  // 1 / (fade - radii up to which it moves with the iris)
    float margin;        // of the picture along lids that have moved, left out
    Rim own[2];          // upper and lower lid of the picture
    Rim lids[2];         // of the target
};

namespace MIEN_ISA {

// From kRimPoints pairs of x and y, in any order. Two of one x make a step.
inline void fill_rim(const float* points, Rim& rim) {
    for (int32_t i = 0; i < kRimPoints; ++i) {
        int32_t place = i;
        for (; place > 0 && points[2 * i] < rim.x[place - 1]; --place) {
            rim.x[place] = rim.x[place - 1];
            rim.y[place] = rim.y[place - 1];
        }
        rim.x[place] = points[2 * i];
        rim.y[place] = points[2 * i + 1];
    }
    for (int32_t i = 0; i + 1 < kRimPoints; ++i)
        rim.inverse[i] = 1.0f / greater(rim.x[i + 1] - rim.x[i], 1e-9f);
}

// `looks`: middles of the target's and the picture's iris. `lids`: the picture's upper and lower, then the target's.
inline void fill_eye(const float* to_eye, const float* to_picture, const float* looks, const float* lids, DrawEye& p) {
    for (int32_t i = 0; i < 6; ++i) {
        p.to_eye[i] = to_eye[i];
        p.to_picture[i] = to_picture[i];
    }
    for (int32_t i = 0; i < 2; ++i) {
        p.look[i] = looks[i];
        p.own_look[i] = looks[2 + i];
        fill_rim(lids + i * 2 * kRimPoints, p.own[i]);
        fill_rim(lids + (2 + i) * 2 * kRimPoints, p.lids[i]);
    }
}

struct EyePoint {
    float x;
    float y;
};

// Height of a rim over x; beyond its ends, that of the end.
MIEN_HD float rim_height(const Rim& rim, float x) {
    float height = rim.y[0];
    for (int32_t i = 0; i + 1 < kRimPoints; ++i) {
        const float share = clamped((x - rim.x[i]) * rim.inverse[i], 0.0f, 1.0f);
        height += (rim.y[i + 1] - rim.y[i]) * share;
    }
    return height;
}

// The point of the picture's eye that moves to a point of the target's with the iris.
MIEN_HD EyePoint gazed(const DrawEye& p, EyePoint at) {
    const float across = at.x - p.look[0];
    const float down = at.y - p.look[1];
    const float away = __builtin_sqrtf(across * across + down * down) * p.inverse_radius;
    const float t = clamped((p.fade - away) * p.inverse_span, 0.0f, 1.0f);
    const float hold = t * t * (3.0f - 2.0f * t);
    return {at.x - (p.look[0] - p.own_look[0]) * hold, at.y - (p.look[1] - p.own_look[1]) * hold};
}

// `way` from the iris' height, such that a lid at `want` shows what the picture, with its lid at `have`, has to show.
MIEN_HD float squeezed(float way, float have, float want, float margin) {
    const float apart = want - have;
    const float hidden = lesser(apart < 0.0f ? -apart : apart, margin);
    const float shown = greater(have - hidden, 0.0f);
    const float share = want > shown + hidden ? shown / greater(want, 1e-6f) : 1.0f;
    return lesser(way * share, shown + (margin - hidden));
}

// Its height in the picture: as it is, but drawn in where the target's lids stand wider than the picture's.
MIEN_HD float slid(const DrawEye& p, EyePoint at) {
    const float middle = p.own_look[1];
    const bool over = at.y < middle;
    const float up = over ? 1.0f : -1.0f;
    // All four, so that nothing branches and the compiler vectorises.
    const float own_over = rim_height(p.own[0], at.x);
    const float own_under = rim_height(p.own[1], at.x);
    const float lid_over = rim_height(p.lids[0], at.x);
    const float lid_under = rim_height(p.lids[1], at.x);
    const float own = over ? own_over : own_under;
    const float lid = over ? lid_over : lid_under;
    const float have = greater(up * (middle - own), 0.0f);
    return middle - up * squeezed(up * (middle - at.y), have, up * (middle - lid), p.margin);
}

// Where in the picture to look for a pixel of out.
MIEN_HD EyePoint eye_source(const DrawEye& p, float x, float y) {
    EyePoint at = gazed(p, {affine(p.to_eye, x, y), affine(p.to_eye + 3, x, y)});
    at.y = slid(p, at);
    return {affine(p.to_picture, at.x, at.y), affine(p.to_picture + 3, at.x, at.y)};
}

}  // namespace MIEN_ISA
}  // namespace mien
