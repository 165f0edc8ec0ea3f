// Matrix products whose results are worked on while they are still in registers.
//
// Factors are read as words of 32 bits: a float, or two bfloat16 that are neighbours along the summed dimension.
#pragma once
#include <algorithm>
#include <type_traits>
#include <vector>

#include "simd.h"

namespace {

#ifdef __AVX512F__
constexpr int kTall = 6, kWide = 4;  // a tile of results: 6 rows of 4 vectors, 24 of the 32 registers
#else
constexpr int kTall = 4, kWide = 1;
#endif
constexpr int64_t kRowsAtOnce = 96;   // of the left factor, which stay in the cache
constexpr int64_t kWordsAtOnce = 64;  // of the summed dimension, where that is frames
template <class T>
constexpr int64_t kDepth = 4 / sizeof(T);  // values in a word

struct alignas(64) Line { uint32_t words[kLanes]; };  // of the cache
inline uint32_t* words_of(std::vector<Line>& lines) { return lines.data()->words; }

inline Words load_words(const uint32_t* p) { Words v; memcpy(&v, p, sizeof v); return v; }
inline void store_words(uint32_t* p, Words v) { memcpy(p, &v, sizeof v); }

template <class T>
inline Floats multiply_add(Floats sum, uint32_t a, Words b) {
  if constexpr (std::is_same_v<T, float>) {
    float value;
    memcpy(&value, &a, sizeof value);
    return sum + value * (Floats)b;
  } else {
#ifdef __AVX512BF16__
    return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
#else
    const uint32_t parts[2] = {a << 16, a & 0xffff0000u};
    float low, high;
    memcpy(&low, parts, sizeof low);
    memcpy(&high, parts + 1, sizeof high);
    return sum + low * (Floats)(b << 16) + high * (Floats)(b & 0xffff0000u);
#endif
  }
}

template <class T, int kRows, int kVectors>
inline __attribute__((always_inline)) void sum_tile(Floats (&sums)[kRows][kVectors], const uint32_t* a, int64_t a_row,
                                                    int64_t a_word, const uint32_t* b, int64_t b_word, int64_t count) {
  for (int64_t k = 0; k < count; ++k) {
    Words right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = load_words(b + k * b_word + v * kLanes);
    for (int r = 0; r < kRows; ++r) {
      const uint32_t left = a[r * a_row + k * a_word];
      for (int v = 0; v < kVectors; ++v) sums[r][v] = multiply_add<T>(sums[r][v], left, right[v]);
    }
  }
}

// visit(rows as a constant, first row) over tiles of up to kTall rows, the last ones about as tall.
template <class F>
inline __attribute__((always_inline)) void for_rows(int64_t first, int64_t end, F visit) {
  while (first < end) {
    const int64_t left = end - first;
    if (left >= kTall && (kTall == 4 || (left != 7 && left != 8 && left != 11)))
      visit(std::integral_constant<int, kTall>{}, first), first += kTall;
    else if (left >= 4)
      visit(std::integral_constant<int, 4>{}, first), first += 4;
    else if (left == 3)
      visit(std::integral_constant<int, 3>{}, first), first += 3;
    else
      visit(std::integral_constant<int, 1>{}, first), first += 1;
  }
}

// visit(vectors as a constant, first column) over the panels of a multiple of 32 columns.
template <class F>
inline __attribute__((always_inline)) void for_panels(int64_t num_columns, F visit) {
  int64_t column = 0;
  for (; column + kWide * kLanes <= num_columns; column += kWide * kLanes)
    visit(std::integral_constant<int, kWide>{}, column);
  if (column < num_columns) visit(std::integral_constant<int, 2>{}, column);
}

struct AsItIs {
  template <class T>
  Floats operator()(const T* p) const { return load(p); }
};

// Two rows (or one, of floats) of `width` columns as words, which hold a column each; no second row: zeros. `read`
// gives values that T can hold, or rounds them itself.
template <class T, class Read = AsItIs>
inline void interleave(const T* first, const T* second, uint32_t* words, int64_t width, Read read = {}) {
  for (int64_t i = 0; i < width; i += kLanes) {
    Words low = (Words)read(first + i);
    if constexpr (!std::is_same_v<T, float>) {
      low >>= 16;
      if (second) low |= (Words)read(second + i);
    }
    store_words(words + i, low);
  }
}

template <class T>
class Weights {  // the right factor (K, N), in panels of columns
 public:
  // From (K, N), or from its transpose (N, K).
  Weights(const float* values, int64_t depth, int64_t width, bool transposed)
      : width(width), num_words(depth / kDepth<T>), lines_(num_words * width / kLanes) {
    std::vector<T> rounded(depth * width);
    for (int64_t i = 0; i < depth * width; i += kLanes) store(rounded.data() + i, load(values + i));
    for_panels(width, [&](auto vectors, int64_t column) {
      constexpr int64_t size = decltype(vectors)::value * kLanes;
      uint32_t* panel = words_of(lines_) + column * num_words;
      if (transposed)
        for (int64_t n = 0; n < size; ++n)
          for (int64_t k = 0; k < num_words; ++k)
            memcpy(panel + k * size + n, rounded.data() + (column + n) * depth + k * kDepth<T>, sizeof(uint32_t));
      else
        for (int64_t k = 0; k < num_words; ++k) {
          const T* row = rounded.data() + k * kDepth<T> * width + column;
          interleave(row, row + width, panel + k * size, size);
        }
    });
  }
  const uint32_t* panel(int64_t column) const { return lines_.data()->words + column * num_words; }
  const int64_t width, num_words;

 private:
  std::vector<Line> lines_;
};

// a (M, K) times weights (K, N); finish(tile, row, column) gets the sums, Floats[rows][vectors].
template <class T, class F>
void multiply(const T* a, const Weights<T>& weights, int64_t num_rows, F finish) {
  const uint32_t* words = reinterpret_cast<const uint32_t*>(a);
  for (int64_t first = 0; first < num_rows; first += kRowsAtOnce)
    for_panels(weights.width, [&](auto vectors, int64_t column) {
      constexpr int wide = decltype(vectors)::value;
      const uint32_t* panel = weights.panel(column);
      for_rows(first, std::min(first + kRowsAtOnce, num_rows), [&](auto rows, int64_t row) {
        Floats sums[decltype(rows)::value][wide] = {};
        const int64_t depth = weights.num_words;
        sum_tile<T>(sums, words + row * depth, depth, 1, panel, wide * kLanes, depth);
        finish(sums, row, column);
      });
    });
}

// Adds the sum over frames of a (L, M) times read(b) (L, N) to out (M, N).
template <class T, class Read = AsItIs>
void add_crossed(const T* a, const T* b, int64_t num_frames, int64_t num_rows, int64_t width, float* out,
                 Read read = {}) {
  std::vector<Line> left_lines(kWordsAtOnce * num_rows / kLanes), right_lines(kWordsAtOnce * kWide * 2);
  uint32_t *left = words_of(left_lines), *right = words_of(right_lines);
  const int64_t num_words = (num_frames + kDepth<T> - 1) / kDepth<T>;
  const auto pack = [&](const T* x, int64_t row_width, int64_t word, int64_t column, int64_t size, uint32_t* to,
                        auto read) {
    const T* row = x + word * kDepth<T> * row_width + column;
    interleave(row, word * kDepth<T> + 1 < num_frames ? row + row_width : nullptr, to, size, read);
  };
  for (int64_t start = 0; start < num_words; start += kWordsAtOnce) {
    const int64_t count = std::min(kWordsAtOnce, num_words - start);
    for (int64_t k = 0; k < count; ++k) pack(a, num_rows, start + k, 0, num_rows, left + k * num_rows, AsItIs{});
    for_panels(width, [&](auto vectors, int64_t column) {
      constexpr int wide = decltype(vectors)::value;
      constexpr int64_t size = wide * kLanes;
      for (int64_t k = 0; k < count; ++k) pack(b, width, start + k, column, size, right + k * size, read);
      for_rows(0, num_rows, [&](auto rows, int64_t row) {
        constexpr int tall = decltype(rows)::value;
        Floats sums[tall][wide];
        float* to = out + row * width + column;
        for (int r = 0; r < tall; ++r)
          for (int v = 0; v < wide; ++v) sums[r][v] = load(to + r * width + v * kLanes);
        sum_tile<T>(sums, left + row, 1, num_rows, right, size, count);
        for (int r = 0; r < tall; ++r)
          for (int v = 0; v < wide; ++v) store(to + r * width + v * kLanes, sums[r][v]);
      });
    });
  }
}

}  // namespace
