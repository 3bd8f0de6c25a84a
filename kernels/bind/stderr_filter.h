#pragma once

#include <string>
#include <vector>

namespace mien {

// From now on, lines that C code of this process writes to `stderr` and that hold one of `texts` are left out; all else
// goes on to descriptor 2 as before, which is not touched. Once per process: a later call changes nothing and returns
// false, as does every call where the C library has no streams with a writer of one's own (glibc has).
bool filter_stderr(std::vector<std::string> texts);

}  // namespace mien
