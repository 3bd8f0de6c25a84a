// A stream in the place of C's `stderr` that leaves out known lines. A library's notes cannot be kept off the terminal
// by pointing descriptor 2 elsewhere for a while: it belongs to the whole process, and what other threads log would be
// lost.
#include "bind/stderr_filter.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string_view>
#include <utility>

namespace mien {

#ifdef __GLIBC__

namespace {

using Texts = std::vector<std::string>;

bool left_out(std::string_view line, const Texts& texts) {
    for (const std::string& text : texts) {
        if (line.find(text) != std::string_view::npos) return true;
    }
    return false;
}

// All of it, unless the descriptor refuses: then it is lost, as it is with the C library's own stream.
void write_all(std::string_view line) {
    while (!line.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        line.remove_prefix(static_cast<size_t>(written));
    }
}

ssize_t write_lines(void* cookie, const char* text, size_t size) {
    const Texts& texts = *static_cast<const Texts*>(cookie);
    std::string_view rest(text, size);
    while (!rest.empty()) {
        const size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
        if (!left_out(line, texts)) write_all(line);
        rest.remove_prefix(line.size());
    }
    return static_cast<ssize_t>(size);
}

bool put_in_place(Texts texts) {
    Texts* kept = new Texts(std::move(texts));  // for the life of the process, as the stream
    FILE* stream = fopencookie(kept, "w", {.read = nullptr, .write = write_lines, .seek = nullptr, .close = nullptr});
    if (stream == nullptr) {
        delete kept;
        return false;
    }
    setvbuf(stream, nullptr, _IOLBF, BUFSIZ);  // some lines are written in pieces
    stderr = stream;
    return true;
}

}  // namespace

bool filter_stderr(std::vector<std::string> texts) {
    static std::once_flag once;
    bool placed = false;
    std::call_once(once, [&] { placed = put_in_place(std::move(texts)); });
    return placed;
}

#else

bool filter_stderr(std::vector<std::string>) {
    return false;
}

#endif

}  // namespace mien
