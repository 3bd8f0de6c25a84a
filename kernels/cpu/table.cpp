#include "cpu/ops.h"

namespace mien::MIEN_ISA {

#define MIEN_ENTRY(name, Params) name,
extern const Ops table;
const Ops table = {MIEN_EACH_OP(MIEN_ENTRY)};
#undef MIEN_ENTRY

}  // namespace mien::MIEN_ISA
