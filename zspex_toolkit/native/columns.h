// Walks over a matrix of frames (L, H) in stripes of columns, whose sums over frames then stay in registers.
#pragma once
#include <algorithm>
#include <type_traits>

#include "simd.h"

namespace {

template <int kVectors>
struct Whole {  // a stripe of 16 kVectors columns
  static constexpr int width = kVectors;
  template <class T> Floats get(const T* p, int i) const { return load(p + kLanes * i); }
  template <class T> void put(T* p, int i, Floats v) const { store(p + kLanes * i, v); }
};

struct Part {  // the last columns, fewer than 16; zero in the lanes beyond
  static constexpr int width = 1;
  int64_t count;
  template <class T> Floats get(const T* p, int) const {
    T whole[kLanes] = {};
    memcpy(whole, p, count * sizeof(T));
    return load(whole);
  }
  template <class T> void put(T* p, int, Floats v) const {
    T whole[kLanes];
    store(whole, v);
    memcpy(p, whole, count * sizeof(T));
  }
};

// A line of the cache holds 32 bfloat16.
template <class F>
inline void for_columns(int64_t num_columns, F visit) {
  int64_t column = 0;
  for (; column + 2 * kLanes <= num_columns; column += 2 * kLanes) visit(Whole<2>{}, column);
  for (; column + kLanes <= num_columns; column += kLanes) visit(Whole<1>{}, column);
  if (column < num_columns) visit(Part{num_columns - column}, column);
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

inline Floats rectify(Floats z, float slope) { return z > 0.0f ? z : z * slope; }

inline double exact_total(Floats v) {
  double sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

}  // namespace
