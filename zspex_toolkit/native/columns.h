// Walks over a matrix of frames (L, H) in stripes of columns, whose sums over frames then stay in registers.
#pragma once
#include <algorithm>
#include <type_traits>

#include "simd.h"

namespace {

constexpr int kStripe = 2;                          // vectors; a line of the cache holds 32 bfloat16
constexpr int64_t kStripeWidth = kStripe * kLanes;  // numbers of channels are multiples of it

template <class F>
inline void for_stripes(int64_t num_columns, F visit) {
  for (int64_t column = 0; column < num_columns; column += kStripeWidth) visit(column);
}

// Frames by whether t - dilation and t + dilation are frames too: visit(has_past, has_future, first, end).
template <class F>
inline void for_spans(int64_t num_frames, int64_t dilation, F visit) {
  const int64_t past = std::min(dilation, num_frames), future = std::max<int64_t>(num_frames - dilation, 0);
  const int64_t first = std::min(past, future), last = std::max(past, future);
  visit(std::false_type{}, std::true_type{}, int64_t{0}, first);
  if (past <= future)
    visit(std::true_type{}, std::true_type{}, first, last);
  else
    visit(std::false_type{}, std::false_type{}, first, last);
  visit(std::true_type{}, std::false_type{}, last, num_frames);
}

}  // namespace
