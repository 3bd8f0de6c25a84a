// The threads that all ops share.
#pragma once

namespace mien {

// Calls task(context, i) for every i in 0..count-1 on up to `threads` threads, the caller among them, and returns when
// all calls have. Several callers may come at once; their tasks share the workers. Tasks must not throw.
void run_tasks(int threads, int count, void (*task)(void* context, int index), void* context);

}  // namespace mien
