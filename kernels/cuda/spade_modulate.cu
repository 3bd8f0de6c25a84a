#include "cuda/moments.h"
#include "cuda/ops.h"
#include "mien/spade_modulate.h"

namespace mien::cuda {

Status chip_of_current_device(Chip& chip) {
    int device = 0;
    Status status = cudaGetDevice(&device);
    if (status == cudaSuccess)
        status = cudaDeviceGetAttribute(&chip.processors, cudaDevAttrMultiProcessorCount, device);
    if (status == cudaSuccess)
        status = cudaDeviceGetAttribute(&chip.shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    return status;
}

Status spade_parts(const SpadeModulate& p, int32_t& count) {
    Chip chip = {};
    const Status status = chip_of_current_device(chip);
    if (status != cudaSuccess) return status;
    count = p.layout == Layout::nchw ? plane_parts(p, chip) : column_parts(p, chip);
    return cudaSuccess;
}

Status spade_modulate(const SpadeModulate& p, Stream stream) {
    if (p.pixels <= 0 || p.batch <= 0 || p.channels <= 0) return cudaSuccess;
    if (p.part_count > 0 && p.parts == nullptr) return cudaErrorInvalidValue;
    return p.layout == Layout::nchw ? spade_planes(p, stream) : spade_columns(p, stream);
}

}  // namespace mien::cuda
