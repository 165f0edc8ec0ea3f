// Between waveforms and encodings: what stands around the matrix products of the learned filter banks.
#include "guard.h"
#include "simd.h"

namespace {

// ReLU of one scale's product (R, N), into its place in encodings (R, S, N).
void encode(const float* product, float* encodings, int64_t s, int64_t R, int64_t S, int64_t N) {
  for (int64_t r = 0; r < R; ++r)
    for (int64_t c = 0; c < N; c += kLanes) {
      Floats v = load(product + r * N + c);
      store(encodings + (r * S + s) * N + c, v > 0 ? v : splat(0));
    }
}

// Gradients of the products of all scales (S, R, N) from that of the encodings (R, S, N); adds to of_bias (S, N).
template <class T>
void encode_back(const float* grad, const float* encodings, T* out, float* of_bias, int64_t R, int64_t S, int64_t N) {
  for (int64_t r = 0; r < R; ++r)
    for (int64_t s = 0; s < S; ++s)
      for (int64_t c = 0; c < N; c += kLanes) {
        int64_t i = (r * S + s) * N + c;
        Floats v = load(encodings + i) > 0 ? load(grad + i) : splat(0);
        store(out + (s * R + r) * N + c, v);
        store(of_bias + s * N + c, load(of_bias + s * N + c) + v);
      }
}

// Sum of overlapping frames (B, L, size) in steps of `stride`, of which samples begin : begin + T are kept, and a bias.
void overlap_add(const float* frames, const float* bias, float* signal, int64_t B, int64_t L, int64_t size,
                 int64_t stride, int64_t begin, int64_t T, int64_t step) {
  for (int64_t b = 0; b < B; ++b) {
    float* out = signal + b * step;
    int64_t end = (L - 1) * stride + size - begin;
    for (int64_t t = 0; t < T; ++t) out[t] = t < end ? *bias : 0;
    for (int64_t l = 0; l < L; ++l) {
      const float* frame = frames + (b * L + l) * size;
      int64_t at = l * stride - begin, first = at < 0 ? -at : 0, last = at + size > T ? T - at : size;
      for (int64_t i = first; i < last; ++i) out[at + i] += frame[i];
    }
  }
}

// Frames (B, L, size) of a signal, zero outside of it: the gradient of overlap_add.
template <class T>
void cut(const float* signal, T* frames, int64_t B, int64_t L, int64_t size, int64_t stride, int64_t begin,
         int64_t num_samples, int64_t step) {
  for (int64_t b = 0; b < B; ++b)
    for (int64_t l = 0; l < L; ++l) {
      const float* from = signal + b * step;
      T* frame = frames + (b * L + l) * size;
      int64_t at = l * stride - begin;
      if (at >= 0 && at + size <= num_samples && size % kLanes == 0) {
        for (int64_t i = 0; i < size; i += kLanes) store(frame + i, load(from + at + i));
        continue;
      }
      for (int64_t i = 0; i < size; i += kLanes) {
        float values[kLanes] = {};
        T rounded[kLanes];
        int64_t count = size - i < kLanes ? size - i : kLanes;
        for (int64_t k = 0; k < count; ++k) {
          int64_t t = at + i + k;
          values[k] = t >= 0 && t < num_samples ? from[t] : 0;
        }
        store(rounded, load(values));
        memcpy(frame + i, rounded, count * sizeof(T));
      }
    }
}

}  // namespace

extern "C" int zspex_encode(const float* product, float* encodings, int64_t s, int64_t R, int64_t S, int64_t N) {
  return guarded([&] { encode(product, encodings, s, R, S, N); });
}

extern "C" int zspex_overlap_add(const float* frames, const float* bias, float* signal, int64_t B, int64_t L,
                                 int64_t size, int64_t stride, int64_t begin, int64_t T, int64_t step) {
  return guarded([&] { overlap_add(frames, bias, signal, B, L, size, stride, begin, T, step); });
}

#define EXPORT(T, name)                                                                                      \
  extern "C" int zspex_encode_back_##name(const float* grad, const float* encodings, T* out, float* of_bias, \
                                          int64_t R, int64_t S, int64_t N) {                                 \
    return guarded([&] { encode_back(grad, encodings, out, of_bias, R, S, N); });                            \
  }                                                                                                          \
  extern "C" int zspex_cut_##name(const float* signal, T* frames, int64_t B, int64_t L, int64_t size,        \
                                  int64_t stride, int64_t begin, int64_t num_samples, int64_t step) {        \
    return guarded([&] { cut(signal, frames, B, L, size, stride, begin, num_samples, step); });              \
  }

EXPORT(float, f32)
EXPORT(Bf16, bf16)
