// CUDA as callers see it: no kernels, no compiler of its own.
#pragma once

#include <cuda_runtime_api.h>

namespace mien::cuda {

typedef cudaStream_t Stream;
typedef cudaError_t Status;

}  // namespace mien::cuda
