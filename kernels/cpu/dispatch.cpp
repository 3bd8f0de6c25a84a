#include "cpu/dispatch.h"

#include <atomic>
#include <cstring>

namespace mien {

namespace baseline {
extern const Ops table;
}
namespace avx2 {
extern const Ops table;
}
namespace avx512 {
extern const Ops table;
}

namespace {

bool runs_baseline() {
    return true;
}

#if defined(MIEN_HAS_avx2)
bool runs_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
#endif

#if defined(MIEN_HAS_avx512)
bool runs_avx512() {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

constexpr Isa kIsas[] = {
    {"baseline", &baseline::table, runs_baseline},
#if defined(MIEN_HAS_avx2)
    {"avx2", &avx2::table, runs_avx2},
#endif
#if defined(MIEN_HAS_avx512)
    {"avx512", &avx512::table, runs_avx512},
#endif
};
constexpr int kCount = static_cast<int>(sizeof(kIsas) / sizeof(kIsas[0]));

const Isa* widest() {
    int last = kCount - 1;
    while (!kIsas[last].supported())
        --last;
    return &kIsas[last];
}

// A choice of equals, made once; atomic, as tests change it while other threads may run.
std::atomic<const Isa*>& selection() {
    static std::atomic<const Isa*> isa{widest()};
    return isa;
}

}  // namespace

const Isa* isas(int& count) {
    count = kCount;
    return kIsas;
}

const Isa& selected_isa() {
    return *selection().load(std::memory_order_relaxed);
}

bool select_isa(const char* name) {
    for (const Isa& isa : kIsas) {
        if (std::strcmp(isa.name, name) == 0 && isa.supported()) {
            selection().store(&isa, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

}  // namespace mien
