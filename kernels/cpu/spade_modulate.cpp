// Statistics in pieces, each summed around the mean of those before it; then a second look that modulates.
#include "mien/spade_modulate.h"

#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

constexpr int32_t kPiece = 4096;  // pixels of one channel: 16 KiB, which the nearest cache keeps for a second look
constexpr int32_t kLanes = 32;    // sums side by side, so that additions need not wait for one another
constexpr int32_t kWide = 256;    // channels side by side, channels last; their sums stay in the nearest cache
constexpr int32_t kRun = 256;     // pixels of a piece, channels last
constexpr int32_t kMostParts = 8;
constexpr int32_t kRoom = 4096;  // moments on the stack: kMostParts of kWide channels, or of several images
constexpr int64_t kGroup = int64_t{1} << 19;  // values of images taken together: what the caches of two cores keep

struct Sums {
    float sum;
    float squares;
};

Sums sums_around(float pivot, const float* values, int32_t count) {
    float sum[kLanes] = {};
    float squares[kLanes] = {};
    int32_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (int32_t lane = 0; lane < kLanes; ++lane) {
            const float apart = values[i + lane] - pivot;
            sum[lane] += apart;
            squares[lane] += apart * apart;
        }
    }
    for (int32_t lane = 0; i < count; ++i, ++lane) {
        const float apart = values[i] - pivot;
        sum[lane] += apart;
        squares[lane] += apart * apart;
    }
    for (int32_t half = kLanes / 2; half > 0; half /= 2) {
        for (int32_t lane = 0; lane < half; ++lane) {
            sum[lane] += sum[lane + half];
            squares[lane] += squares[lane + half];
        }
    }
    return {sum[0], squares[0]};
}

// What a pivot misses the mean of a piece by costs digits of the squares. The mean of the pieces before misses it by no
// more than what the joined variance holds anyway; the first piece has none before it, and the mean of its first eighth
// does.
int32_t guess_length(int64_t count) {
    return static_cast<int32_t>((count + 7) / 8);
}

Moments plane_moments(const float* values, int64_t count) {
    Moments all = {};
    for (int64_t start = 0; start < count; start += kPiece) {
        const int32_t length = static_cast<int32_t>(lesser<int64_t>(kPiece, count - start));
        const float n = static_cast<float>(length);
        if (start == 0)
            all.mean = sums_around(0.0f, values, guess_length(length)).sum / static_cast<float>(guess_length(length));
        const Sums sums = sums_around(all.mean, values + start, length);
        all = joined(all, moments_around(all.mean, n, sums.sum, sums.squares));
    }
    return all;
}

void modulate_plane(const SpadeModulate& p, int64_t plane) {
    const float* x = static_cast<const float*>(p.x) + plane * p.pixels;
    const float* gamma = static_cast<const float*>(p.gamma) + plane * p.pixels;
    const float* beta = static_cast<const float*>(p.beta) + plane * p.pixels;
    float* out = static_cast<float*>(p.out) + plane * p.pixels;
    const Normal normal = normal_of(plane_moments(x, p.pixels), p.epsilon);
    const float slope = p.slope;
#pragma GCC ivdep  // `out` is `x` or apart from it
    for (int64_t i = 0; i < p.pixels; ++i)
        out[i] = modulated(x[i], gamma[i], beta[i], normal, slope);
}

// Channels last: up to kWide channels of some images at once. Every image is cut into parts, whose number depends on
// its size alone: results are the same for any number of threads.
struct Columns {
    const SpadeModulate& p;
    int64_t first_image;
    int32_t first_channel;
    int32_t width;
    int32_t parts;
    Moments* room;  // (images, parts, width)

    int64_t offset(int64_t image, int64_t pixel) const {
        return ((first_image + image) * p.pixels + pixel) * p.channels + first_channel;
    }

    void add(const float* x, int64_t count, const float* pivot, float* sum, float* squares) const {
        for (int64_t i = 0; i < count; ++i, x += p.channels) {
            for (int32_t c = 0; c < width; ++c) {
                const float apart = x[c] - pivot[c];
                sum[c] += apart;
                squares[c] += apart * apart;
            }
        }
    }

    // Index: image * parts + part.
    void measure(int64_t index) const {
        const int64_t part = index % parts;
        const int64_t end = p.pixels * (part + 1) / parts;
        int64_t pixel = p.pixels * part / parts;
        const int64_t start = pixel;
        const float* x = static_cast<const float*>(p.x) + offset(index / parts, pixel);
        float mean[kWide] = {};
        float mean_low[kWide] = {};
        float deviations[kWide] = {};
        for (int64_t count; pixel < end; pixel += count, x += count * p.channels) {
            count = lesser<int64_t>(kRun, end - pixel);
            const float n = static_cast<float>(count);
            float sum[kWide] = {};
            float squares[kWide] = {};
            if (pixel == start) {
                add(x, guess_length(count), mean, sum, squares);
                for (int32_t c = 0; c < width; ++c) {
                    mean[c] = sum[c] / static_cast<float>(guess_length(count));
                    sum[c] = squares[c] = 0.0f;
                }
            }
            add(x, count, mean, sum, squares);
            const float before = static_cast<float>(pixel - start);
            for (int32_t c = 0; c < width; ++c) {
                const Moments all = joined({before, mean[c], mean_low[c], deviations[c]},
                                           moments_around(mean[c], n, sum[c], squares[c]));
                mean[c] = all.mean;
                mean_low[c] = all.mean_low;
                deviations[c] = all.squares;
            }
        }
        const float whole = static_cast<float>(end - start);
        for (int32_t c = 0; c < width; ++c)
            room[index * width + c] = {whole, mean[c], mean_low[c], deviations[c]};
    }

    // What the parts of an image measured, into the place of its first part.
    void join(int64_t image) const {
        Moments* all = room + image * parts * width;
        for (int32_t part = 1; part < parts; ++part)
            for (int32_t c = 0; c < width; ++c)
                all[c] = joined(all[c], all[part * width + c]);
    }

    void modulate(int64_t image, int64_t pixel, int64_t end) const {
        float mean[kWide];
        float mean_low[kWide];
        float scale[kWide];
        for (int32_t c = 0; c < width; ++c) {
            const Normal normal = normal_of(room[image * parts * width + c], p.epsilon);
            mean[c] = normal.mean;
            mean_low[c] = normal.mean_low;
            scale[c] = normal.scale;
        }
        const float slope = p.slope;
        for (int64_t at = offset(image, pixel); pixel < end; ++pixel, at += p.channels) {
            const float* x = static_cast<const float*>(p.x) + at;
            const float* gamma = static_cast<const float*>(p.gamma) + at;
            const float* beta = static_cast<const float*>(p.beta) + at;
            float* out = static_cast<float*>(p.out) + at;
#pragma GCC ivdep  // `out` is `x` or apart from it
            for (int32_t c = 0; c < width; ++c)
                out[c] = modulated(x[c], gamma[c], beta[c], {mean[c], mean_low[c], scale[c]}, slope);
        }
    }
};

void modulate_columns(const Columns& columns, int64_t images, int threads) {
    const int32_t parts = columns.parts;
    const int32_t tasks = static_cast<int32_t>(images) * parts;
    const int64_t pixels = columns.p.pixels;
    const int64_t work = pixels / parts * columns.width;
    for_bands(tasks, work, threads, [&](int32_t index, int32_t last) {
        for (; index < last; ++index)
            columns.measure(index);
    });
    for (int64_t image = 0; image < images; ++image)
        columns.join(image);
    for_bands(tasks, work, threads, [&](int32_t index, int32_t last) {
        for (; index < last; ++index) {
            const int64_t part = index % parts;
            columns.modulate(index / parts, pixels * part / parts, pixels * (part + 1) / parts);
        }
    });
}

void modulate_pixels(const SpadeModulate& p, int threads) {
    Moments room[kRoom];
    const int32_t parts = static_cast<int32_t>(greater<int64_t>(1, lesser<int64_t>(kMostParts, p.pixels / kRun)));
    for (int32_t channel = 0; channel < p.channels; channel += kWide) {
        const int32_t width = lesser(kWide, p.channels - channel);
        const int64_t group = greater<int64_t>(1, kGroup / (p.pixels * width));
        const int32_t step = static_cast<int32_t>(lesser<int64_t>(kRoom / (parts * width), group));
        for (int32_t image = 0; image < p.batch; image += step)
            modulate_columns({p, image, channel, width, parts, room}, lesser(step, p.batch - image), threads);
    }
}

}  // namespace

void spade_modulate(const SpadeModulate& p, int threads) {
    if (p.layout == Layout::nhwc) return modulate_pixels(p, threads);
    for_bands(p.batch * p.channels, p.pixels, threads, [&p](int32_t plane, int32_t last) {
        for (; plane < last; ++plane)
            modulate_plane(p, plane);
    });
}

}  // namespace mien::MIEN_ISA
