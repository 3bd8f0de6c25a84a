// Which instruction set's loops are run.
#pragma once

#include "cpu/ops.h"

namespace mien {

struct Isa {
    const char* name;
    const Ops* ops;
    bool (*supported)();
};

// Built-in instruction sets from the plainest to the widest; the first runs everywhere.
const Isa* isas(int& count);

// The widest supported one, or the one last selected.
const Isa& selected_isa();

// Returns false, and changes nothing, where `name` is unknown or not supported by this processor.
bool select_isa(const char* name);

}  // namespace mien
