// Between functions that may throw and their callers, who are not C++.
#pragma once

namespace {

// 0, or 1 without enough memory: all that the functions throw, and nothing may leave what is exported.
template <class F>
int guarded(F run) noexcept {
  try {
    run();
    return 0;
  } catch (...) {
    return 1;
  }
}

}  // namespace
