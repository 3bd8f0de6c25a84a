#include "cuda/on_host/device.h"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

namespace mien::on_host {

Index thread_index;
Index block_index;
Index block_size;
Index grid_size;

namespace {

constexpr size_t kStack = 64 * 1024;
constexpr unsigned kWarp = 32;

// All have arrived once `generation` has changed.
struct Barrier {
    unsigned arrived = 0;
    unsigned generation = 0;
};

// Runs one thread after the other; parked while its thread waits at a barrier, others then start the rest.
struct Fiber {
    ucontext_t start;
    jmp_buf here;
    std::unique_ptr<unsigned char[]> stack;
    unsigned thread = 0;
    bool started = false;
    bool parked = false;
};

struct Block {
    jmp_buf scheduler;
    std::deque<Fiber> fibers;
    Fiber* running = nullptr;
    std::vector<Barrier> warps;
    std::vector<uint32_t> bits[2];    // that each thread brought to its last exchange, and to the one before
    std::vector<unsigned> exchanges;  // of each thread
    Barrier all;
    std::vector<unsigned char> shared;
    const std::function<void()>* body = nullptr;
    unsigned threads = 0;
    unsigned started = 0;
    unsigned done = 0;
    bool moved = false;  // since all fibers have had their turn
    bool backwards = false;
};

Block block;

// Jumps rather than swaps of contexts, which would cost a system call each.
void to_scheduler(Fiber& self) {
    if (_setjmp(self.here) == 0) _longjmp(block.scheduler, 1);
}

void enter() {
    Fiber& self = *block.running;
    for (;;) {
        while (block.started < block.threads) {
            const unsigned i = block.started++;
            self.thread = block.backwards ? block.threads - 1 - i : i;
            thread_index = {self.thread, 0, 0};
            (*block.body)();
            ++block.done;
            block.moved = true;
        }
        to_scheduler(self);
    }
}

void wait_for(Barrier& barrier, unsigned members) {
    const unsigned generation = barrier.generation;
    if (++barrier.arrived == members) {
        barrier.arrived = 0;
        ++barrier.generation;
        block.moved = true;
        return;
    }
    Fiber& self = *block.running;
    self.parked = true;
    while (barrier.generation == generation)
        to_scheduler(self);
    self.parked = false;
}

void resume(Fiber& fiber) {
    block.running = &fiber;
    thread_index = {fiber.thread, 0, 0};
    if (_setjmp(block.scheduler) != 0) return;
    if (fiber.started) _longjmp(fiber.here, 1);
    fiber.started = true;
    setcontext(&fiber.start);
}

Fiber& free_fiber(size_t& from) {
    for (; from < block.fibers.size(); ++from)
        if (!block.fibers[from].parked) return block.fibers[from];
    Fiber& fiber = block.fibers.emplace_back();
    fiber.stack = std::make_unique<unsigned char[]>(kStack);
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack.get();
    fiber.start.uc_stack.ss_size = kStack;
    makecontext(&fiber.start, enter, 0);
    return fiber;
}

bool run_block() {
    block.all = {};
    block.warps.assign((block.threads + kWarp - 1) / kWarp, {});
    block.bits[0].resize(block.threads);
    block.bits[1].resize(block.threads);
    block.exchanges.assign(block.threads, 0);
    std::memset(block.shared.data(), 0xff, block.shared.size());
    block.started = 0;
    block.done = 0;
    while (block.done < block.threads) {
        block.moved = block.started < block.threads;
        for (size_t i = 0; i < block.fibers.size(); ++i)
            if (block.fibers[i].parked) resume(block.fibers[i]);
        size_t from = 0;
        while (block.started < block.threads)
            resume(free_fiber(from));
        if (!block.moved) {
            block.fibers.clear();
            return false;  // all wait for one another
        }
    }
    return true;
}

}  // namespace

unsigned char* dynamic_shared() {
    const uintptr_t at = reinterpret_cast<uintptr_t>(block.shared.data());
    return reinterpret_cast<unsigned char*>((at + 15) & ~uintptr_t{15});
}

void wait_for_block() {
    wait_for(block.all, block.threads);
}

// Nobody is more than one exchange ahead of the others, so that two places for what is brought are enough.
uint32_t exchange(uint32_t bits, unsigned lane) {
    const unsigned thread = thread_index.x;
    std::vector<uint32_t>& places = block.bits[block.exchanges[thread]++ % 2];
    places[thread] = bits;
    wait_for(block.warps[thread / kWarp], kWarp);
    return places[thread / kWarp * kWarp + lane];
}

cudaError_t run_grid(dim3 blocks, int threads, size_t shared, const std::function<void()>& thread) {
    if (threads <= 0 || threads > 1024 || blocks.y > 65535 || blocks.z > 65535) return cudaErrorInvalidConfiguration;
    block.threads = static_cast<unsigned>(threads);
    block.shared.resize(shared + 16);
    block.body = &thread;
    block.backwards = !block.backwards;
    block_size = {block.threads, 1, 1};
    grid_size = {blocks.x, blocks.y, blocks.z};
    for (unsigned z = 0; z < blocks.z; ++z)
        for (unsigned y = 0; y < blocks.y; ++y)
            for (unsigned x = 0; x < blocks.x; ++x) {
                block_index = {x, y, z};
                if (!run_block()) return cudaErrorLaunchTimeout;
            }
    return cudaSuccess;
}

}  // namespace mien::on_host

// The runtime's own functions that the launchers call.

extern "C" {

const char* CUDARTAPI cudaGetErrorString(cudaError_t status) {
    return status == cudaSuccess ? "no error" : "refused on the host";
}

cudaError_t CUDARTAPI cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}

cudaError_t CUDARTAPI cudaSetDevice(int device) {
    return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t CUDARTAPI cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}

// A small chip, so that small arrays take every way. MIEN_ON_HOST_SHARED: bytes of shared memory of a block.
cudaError_t CUDARTAPI cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    const char* shared = std::getenv("MIEN_ON_HOST_SHARED");
    *value = attribute == cudaDevAttrMultiProcessorCount ? 4 : shared != nullptr ? std::atoi(shared) : 64 * 1024;
    return cudaSuccess;
}
}
