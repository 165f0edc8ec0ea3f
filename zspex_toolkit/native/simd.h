// Vectors of 16 floats in the language of GCC and Clang: one AVX-512 register, or several smaller ones.
#pragma once
#include <cstdint>
#include <cstring>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

constexpr int64_t kLanes = 16;
typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef uint32_t Words __attribute__((vector_size(64)));
typedef uint16_t Halves __attribute__((vector_size(32)));
struct Bf16 { uint16_t bits; };  // the upper half of a float

inline Floats load(const float* p) { Floats v; memcpy(&v, p, sizeof v); return v; }
inline void store(float* p, Floats v) { memcpy(p, &v, sizeof v); }

inline Floats load(const Bf16* p) {
  Halves h;
  memcpy(&h, p, sizeof h);
  return (Floats)(__builtin_convertvector(h, Words) << 16);
}

inline void store(Bf16* p, Floats v) {  // rounds to nearest, ties to even; NaN stays NaN
#ifdef __AVX512BF16__
  __m256bh h = _mm512_cvtneps_pbh((__m512)v);
  memcpy(p, &h, sizeof h);
#else
  Words bits = (Words)v;
  Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  Ints is_nan = v != v;
  Halves h = __builtin_convertvector(((Words)is_nan & 0x7fc0) | (~(Words)is_nan & rounded), Halves);
  memcpy(p, &h, sizeof h);
#endif
}

template <class T>
inline Floats round_to(Floats v) {  // the nearest values that T holds
  if constexpr (sizeof(T) == sizeof(float)) return v;
  T rounded[kLanes];
  store(rounded, v);
  return load(rounded);
}

inline Floats splat(float value) { return Floats{} + value; }
inline float total(Floats v) {
  float sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

}  // namespace
