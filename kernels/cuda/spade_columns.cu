// spade_modulate of (batch, pixels, channels). A block owns a strip of channels, 32 bytes to 512 bytes wide: its
// threads stand side by side over the strip's packs and in rows over its pixels.
#include "cuda/moments.h"

namespace mien::cuda {
namespace {

constexpr int32_t kMostParts = 256;
constexpr int kMostAcross = 32;  // packs of a strip
constexpr int kKeptAcross = 2;   // where a strip stays on the chip: a whole sector of memory
constexpr int kReserved = 12 * 1024;

// Where this thread stands.
template <int kCount>
struct Place {
    int across;  // packs of a strip
    int column;  // of this thread, in packs
    int row;
    int rows;         // pixels that the block looks at together
    int32_t channel;  // of the first value of its pack
    bool on_strip;
};

template <int kCount>
__device__ Place<kCount> place_in(const SpadeModulate& p, int across) {
    const int thread = static_cast<int>(threadIdx.x);
    const int column = thread % across;
    const int32_t channel = (static_cast<int32_t>(blockIdx.y) * across + column) * kCount;
    return {across, column, thread / across, kThreads / across, channel, channel < p.channels};
}

struct Range {
    int64_t first;
    int64_t last;
};

__device__ Range pixels_of_part(const SpadeModulate& p) {
    const int64_t length = p.part_count == 0 ? p.pixels : (p.pixels + p.part_count - 1) / p.part_count;
    const int64_t first = length * blockIdx.x;
    return {first, lesser(first + length, p.pixels)};
}

template <class T, int kCount>
__device__ int64_t pack_at(const SpadeModulate& p, const Place<kCount>& place, int64_t pixel) {
    return (blockIdx.z * p.pixels + pixel) * p.channels + place.channel;
}

// Sums of kCount channels, each around its value in the thread's first pixel; see Sums.
template <int kCount>
struct ColumnSums {
    float count;
    float pivot[kCount];
    float sum[kCount];
    float squares[kCount];

    template <class T>
    __device__ void add(const Pack<T, kCount>& pack) {
#pragma unroll
        for (int i = 0; i < kCount; ++i) {
            const float value = to_float(pack.values[i]);
            if (count == 0.0f) pivot[i] = value;
            const float apart = value - pivot[i];
            sum[i] += apart;
            squares[i] += apart * apart;
        }
        count += 1.0f;
    }

    __device__ Moments moments(int i) const {
        if (count == 0.0f) return {0.0f, 0.0f, 0.0f, 0.0f};
        return moments_around(pivot[i], count, sum[i], squares[i]);
    }
};

constexpr int kWarps = kThreads / kWarp;

// Joins what the rows of a block have; of_warp[w * across * kCount + c] is channel c of warp w's rows.
template <int kCount>
__device__ void join_rows(const ColumnSums<kCount>& sums, const Place<kCount>& place, Moments* of_warp) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    Moments* mine = of_warp + (warp * place.across + place.column) * kCount;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        Moments m = sums.moments(i);
        for (int distance = place.across; distance < kWarp; distance *= 2)
            m = joined_across(m, distance);
        if (lane < place.across) mine[i] = m;
    }
    __syncthreads();
}

template <int kCount>
__device__ Moments joined_warps(const Place<kCount>& place, const Moments* of_warp, int channel) {
    Moments m = of_warp[channel];
    for (int warp = 1; warp < kWarps; ++warp)
        m = joined_any(m, of_warp[warp * place.across * kCount + channel]);
    return m;
}

template <class T, int kCount>
__device__ Pack<T, kCount> modulated_columns(const SpadeModulate& p, const Pack<T, kCount>& x, int64_t at,
                                             const Normal* normals) {
    const Pack<T, kCount> gamma = load_pack<kCount>(static_cast<const T*>(p.gamma) + at);
    const Pack<T, kCount> beta = load_pack<kCount>(static_cast<const T*>(p.beta) + at);
    Pack<T, kCount> out;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        out.values[i] = from_float<T>(
            modulated(to_float(x.values[i]), to_float(gamma.values[i]), to_float(beta.values[i]), normals[i], p.slope));
    }
    return out;
}

// This thread's normals, out of those of the strip.
template <int kCount>
struct Normals {
    Normal values[kCount];

    __device__ void take(const Normal* strip, const Place<kCount>& place) {
#pragma unroll
        for (int i = 0; i < kCount; ++i)
            values[i] = strip[place.column * kCount + i];
    }
};

template <class T, int kCount>
__global__ void __launch_bounds__(kThreads) spade_column_parts(SpadeModulate p, int across) {
    __shared__ Moments of_warp[kWarps * kMostAcross * kCount];
    const Place<kCount> place = place_in<kCount>(p, across);
    const Range range = pixels_of_part(p);
    ColumnSums<kCount> sums = {};
    if (place.on_strip) {
#pragma unroll 4
        for (int64_t pixel = range.first + place.row; pixel < range.last; pixel += place.rows)
            sums.add(load_pack<kCount>(static_cast<const T*>(p.x) + pack_at<T>(p, place, pixel)));
    }
    join_rows(sums, place, of_warp);
    const int32_t first = static_cast<int32_t>(blockIdx.y) * across * kCount;
    for (int c = static_cast<int>(threadIdx.x); c < across * kCount && first + c < p.channels; c += kThreads) {
        const int64_t plane = static_cast<int64_t>(blockIdx.z) * p.channels + first + c;
        p.parts[static_cast<int64_t>(blockIdx.x) * p.batch * p.channels + plane] = joined_warps(place, of_warp, c);
    }
}

template <class T, int kCount>
__global__ void __launch_bounds__(kThreads, 4) spade_column_from_parts(SpadeModulate p, int across) {
    __shared__ Normal strip[kMostAcross * kCount];
    const Place<kCount> place = place_in<kCount>(p, across);
    const int32_t first = static_cast<int32_t>(blockIdx.y) * across * kCount;
    for (int c = static_cast<int>(threadIdx.x); c < across * kCount && first + c < p.channels; c += kThreads) {
        const Moments* part = p.parts + static_cast<int64_t>(blockIdx.z) * p.channels + first + c;
        Moments all = *part;
        for (int32_t i = 1; i < p.part_count; ++i)
            all = joined_any(all, part[static_cast<int64_t>(i) * p.batch * p.channels]);
        strip[c] = normal_of(all, p.epsilon);
    }
    __syncthreads();
    if (!place.on_strip) return;
    Normals<kCount> normals;
    normals.take(strip, place);
    const Range range = pixels_of_part(p);
#pragma unroll 2
    for (int64_t pixel = range.first + place.row; pixel < range.last; pixel += place.rows) {
        const int64_t at = pack_at<T>(p, place, pixel);
        const Pack<T, kCount> x = load_pack<kCount>(static_cast<const T*>(p.x) + at);
        store_pack<kCount>(static_cast<T*>(p.out) + at, modulated_columns(p, x, at, normals.values));
    }
}

// A strip stays in shared memory between both looks. A thread sees only packs that it brought itself.
template <class T, int kCount>
__global__ void __launch_bounds__(kThreads) spade_column_kept(SpadeModulate p) {
    MIEN_DYNAMIC_SHARED(memory);
    __shared__ Moments of_warp[kWarps * kKeptAcross * kCount];
    __shared__ Normal strip[kKeptAcross * kCount];
    Pack<T, kCount>* kept = reinterpret_cast<Pack<T, kCount>*>(memory);
    const Place<kCount> place = place_in<kCount>(p, kKeptAcross);
    const int64_t end = place.on_strip ? p.pixels : 0;
    ColumnSums<kCount> sums = {};
#pragma unroll 4
    for (int64_t pixel = place.row; pixel < end; pixel += place.rows) {
        const Pack<T, kCount> x = load_pack<kCount>(static_cast<const T*>(p.x) + pack_at<T>(p, place, pixel));
        kept[pixel * kKeptAcross + place.column] = x;
        sums.add(x);
    }
    join_rows(sums, place, of_warp);
    const int thread = static_cast<int>(threadIdx.x);
    if (thread < kKeptAcross * kCount) strip[thread] = normal_of(joined_warps(place, of_warp, thread), p.epsilon);
    __syncthreads();
    Normals<kCount> normals;
    normals.take(strip, place);
#pragma unroll 2
    for (int64_t pixel = place.row; pixel < end; pixel += place.rows) {
        const int64_t at = pack_at<T>(p, place, pixel);
        const Pack<T, kCount> x = kept[pixel * kKeptAcross + place.column];
        store_pack<kCount>(static_cast<T*>(p.out) + at, modulated_columns(p, x, at, normals.values));
    }
}

int32_t strips(const SpadeModulate& p, int across, int count) {
    const int32_t width = across * count;
    return (p.channels + width - 1) / width;
}

int64_t element_bytes(const SpadeModulate& p) {
    return p.type == Type::f32 ? 4 : 2;
}

template <class T, int kCount>
Status run_kept(const SpadeModulate& p, Stream stream) {
    const size_t bytes = static_cast<size_t>(p.pixels) * kKeptAcross * sizeof(Pack<T, kCount>);
    const Status allowed = allow_shared(spade_column_kept<T, kCount>, bytes);
    if (allowed != cudaSuccess) return allowed;
    const dim3 blocks(1, static_cast<unsigned>(strips(p, kKeptAcross, kCount)), static_cast<unsigned>(p.batch));
    return launch(spade_column_kept<T, kCount>, blocks, kThreads, bytes, stream, p);
}

template <class T, int kCount>
Status run_parts(const SpadeModulate& p, Stream stream) {
    int across = 1;
    while (across < kMostAcross && across * kCount < p.channels)
        across *= 2;
    const dim3 blocks(static_cast<unsigned>(p.part_count), static_cast<unsigned>(strips(p, across, kCount)),
                      static_cast<unsigned>(p.batch));
    const Status looked = launch(spade_column_parts<T, kCount>, blocks, kThreads, 0, stream, p, across);
    if (looked != cudaSuccess) return looked;
    return launch(spade_column_from_parts<T, kCount>, blocks, kThreads, 0, stream, p, across);
}

template <class T, int kCount>
Status run(const SpadeModulate& p, Stream stream) {
    return p.part_count == 0 ? run_kept<T, kCount>(p, stream) : run_parts<T, kCount>(p, stream);
}

}  // namespace

int32_t column_parts(const SpadeModulate& p, const Chip& chip) {
    const int64_t strip_bytes = p.pixels * kKeptAcross * 16;
    const int64_t kept_strips = p.batch * ((p.channels * element_bytes(p) + 31) / 32);
    const bool fits = strip_bytes <= chip.shared - kReserved;
    if (fits && (2 * kept_strips > chip.processors || strip_bytes <= 16 * 1024)) return 0;
    const int64_t wide_strips = p.batch * ((p.channels * element_bytes(p) + 511) / 512);
    const int64_t wanted = (8 * static_cast<int64_t>(chip.processors) + wide_strips - 1) / wide_strips;
    const int64_t useful = (p.pixels + 63) / 64;
    return static_cast<int32_t>(greater<int64_t>(1, lesser<int64_t>(lesser(wanted, useful), kMostParts)));
}

Status spade_columns(const SpadeModulate& p, Stream stream) {
    return for_float_type(p.type, [&](auto kind) {
        typedef decltype(kind) T;
        const bool whole = p.channels % kWhole<T> == 0 && aligned(p.x, 16) && aligned(p.gamma, 16) &&
                           aligned(p.beta, 16) && aligned(p.out, 16);
        return whole ? run<T, kWhole<T>>(p, stream) : run<T, 1>(p, stream);
    });
}

}  // namespace mien::cuda
