#include "cpu/pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace mien {
namespace {

constexpr int kMostWorkers = 63;

// One call of run_tasks; it lives on the caller's stack for as long as a worker may touch it.
struct Job {
    void (*task)(void*, int);
    void* context;
    int count;
    std::atomic<int> next{0};
    int wanted;     // workers that may still join; guarded by the pool's mutex, as the two below
    int active{0};  // workers inside
    Job* after{nullptr};

    void work() {
        for (int i = next.fetch_add(1, std::memory_order_relaxed); i < count;
             i = next.fetch_add(1, std::memory_order_relaxed)) {
            task(context, i);
        }
    }
};

class Pool {
  public:
    void run(Job& job) {
        const int wanted = job.wanted;
        {
            const std::lock_guard lock(mutex_);
            hire(wanted);
            job.after = jobs_;
            jobs_ = &job;
        }
        for (int i = 0; i < wanted; ++i)
            work_.notify_one();
        job.work();
        std::unique_lock lock(mutex_);
        withdraw(job);
        done_.wait(lock, [&] { return job.active == 0; });
    }

  private:
    // Where the system refuses a thread the job is done with fewer.
    void hire(int wanted) {
        try {
            for (; workers_ < wanted; ++workers_)
                std::thread([this] { serve(); }).detach();
        } catch (const std::system_error&) {
        }
    }

    void withdraw(Job& job) {
        Job** link = &jobs_;
        while (*link != &job)
            link = &(*link)->after;
        *link = job.after;
    }

    Job* open_job() {
        for (Job* job = jobs_; job != nullptr; job = job->after) {
            if (job->wanted > 0) return job;
        }
        return nullptr;
    }

    void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            Job* job = nullptr;
            work_.wait(lock, [&] { return (job = open_job()) != nullptr; });
            --job->wanted;
            ++job->active;
            lock.unlock();
            job->work();
            lock.lock();
            if (--job->active == 0) done_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    Job* jobs_ = nullptr;
    int workers_ = 0;
};

}  // namespace

void run_tasks(int threads, int count, void (*task)(void*, int), void* context) {
    // Never destroyed: sleeping workers may outlive the static objects of a process that ends.
    static Pool* const pool = new Pool;
    int wanted = (threads < count ? threads : count) - 1;
    wanted = wanted < kMostWorkers ? wanted : kMostWorkers;
    if (wanted < 1) {
        for (int i = 0; i < count; ++i)
            task(context, i);
        return;
    }
    Job job{.task = task, .context = context, .count = count, .wanted = wanted};
    pool->run(job);
}

}  // namespace mien
