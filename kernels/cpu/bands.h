// Rows cut into bands for the pool.
#pragma once

#include "cpu/pool.h"
#include "mien/portable.h"

namespace mien::MIEN_ISA {

constexpr int64_t kLeastBandWork = 4096;  // elements; less is done before a second thread has woken
constexpr int32_t kBandsPerThread = 4;    // a late or busy thread then costs a quarter of its share

template <class Body>
struct Bands {
    const Body& body;
    int32_t rows;
    int32_t count;

    static void run(void* context, int index) {
        const Bands& bands = *static_cast<const Bands*>(context);
        const int64_t rows = bands.rows;
        bands.body(static_cast<int32_t>(rows * index / bands.count),
                   static_cast<int32_t>(rows * (index + 1) / bands.count));
    }
};

// Calls body(first, last) for bands that together are 0..rows-1. `row_work`: elements in a row.
template <class Body>
void for_bands(int32_t rows, int64_t row_work, int threads, const Body& body) {
    if (rows <= 0) return;
    const int64_t useful = rows * row_work / kLeastBandWork;
    const int64_t wanted = threads > 1 ? lesser<int64_t>(static_cast<int64_t>(threads) * kBandsPerThread, useful) : 1;
    const int32_t count = static_cast<int32_t>(lesser<int64_t>(wanted, rows));
    if (count < 2) {
        body(0, rows);
        return;
    }
    Bands<Body> bands{body, rows, count};
    run_tasks(threads, count, &Bands<Body>::run, &bands);
}

}  // namespace mien::MIEN_ISA
