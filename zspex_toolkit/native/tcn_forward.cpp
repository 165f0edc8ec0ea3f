// A temporal convolution block over a batch.
#include "tcn_block.h"

namespace {

// What the first product takes: x itself, or rounded.
template <class T>
const T* round_frames(const Block& b, const float* x, T* rounded) {
  if constexpr (std::is_same_v<T, float>) return x;
  else {
    for (int64_t i = 0; i < b.num_frames * b.channels; i += kLanes) store(rounded + i, load(x + i));
    return rounded;
  }
}

// z (L, H), the first product without its bias, and the moments of what is rectified.
template <class T>
Moments expand(const Block& b, const T* frames, const Weights<T>& weights, const float* bias, T* z) {
  const float slope = *b.slope_in;
  Moments all;
  multiply(frames, weights, b.num_frames, [&](auto& sums, int64_t row, int64_t column) {
    constexpr int tall = std::extent_v<std::remove_reference_t<decltype(sums)>, 0>;
    constexpr int wide = std::extent_v<std::remove_reference_t<decltype(sums)>, 1>;
    Floats sum = {}, power = {};
    for (int v = 0; v < wide; ++v) {
      const Floats shift = load(bias + column + v * kLanes);
      for (int r = 0; r < tall; ++r) {
        store(z + (row + r) * b.hidden + column + v * kLanes, sums[r][v]);
        const Floats p = rectify(sums[r][v] + shift, slope);
        sum += p, power += p * p;
      }
    }
    all.sum.add(sum), all.power.add(power);
  });
  return all;
}

// y = x + scale * product + what the offsets of the last normalisation give.
template <class T>
void project(const Block& b, const float* x, const T* rectified, const Weights<T>& weights, const Statistics& second,
             float* y) {
  const float scale = second.scale, centre = second.scale * second.mean;
  multiply(rectified, weights, b.num_frames, [&](auto& sums, int64_t row, int64_t column) {
    constexpr int tall = std::extent_v<std::remove_reference_t<decltype(sums)>, 0>;
    constexpr int wide = std::extent_v<std::remove_reference_t<decltype(sums)>, 1>;
    for (int v = 0; v < wide; ++v) {
      const int64_t c = column + v * kLanes;
      const Floats shift = load(b.out_of_offset + c) - centre * load(b.out_of_gain + c);
      for (int r = 0; r < tall; ++r) {
        const int64_t at = (row + r) * b.channels + c;
        store(y + at, load(x + at) + (scale * sums[r][v] + shift));
      }
    }
  });
}

// frames (B, L, C) and z (B, L, H) are kept for the backward pass, unless z is null; floats need no frames.
template <class T>
void forward(const Block& b, const float* x, const float* bias, float* y, Statistics* of, T* frames, T* z) {
  const Weights<T> w_in(b.w_in, b.channels, b.hidden, true), w_out(b.w_out, b.hidden, b.channels, true);
  const int64_t inputs = b.num_frames * b.channels, values = b.num_frames * b.hidden;
  share_utterances(b, [&](int64_t first, int64_t end, int64_t) {
    Scratch& memory = scratch();
    T* own_frames = memory.take<T>(inputs);
    T* own_z = memory.take<T>(values);
    T* rectified = memory.take<T>(values);
    for (int64_t i = first; i < end; ++i) {
      const float *x_i = x + i * inputs, *bias_i = bias + i * b.hidden;
      T* z_i = z ? z + i * values : own_z;
      const T* frames_i = round_frames<T>(b, x_i, z && frames ? frames + i * inputs : own_frames);
      of[2 * i] = statistics(b, expand(b, frames_i, w_in, bias_i, z_i), z_i, bias_i, *b.slope_in);
      const Moments taken = convolve<true>(b, z_i, bias_i, of[2 * i], rectified);
      of[2 * i + 1] = statistics<T>(b, taken, rectified, nullptr, 1);
      project(b, x_i, rectified, w_out, of[2 * i + 1], y + i * inputs);
    }
  });
}

}  // namespace

extern "C" {

int zspex_tcn_forward_f32(const Block* b, const float* x, const float* bias, float* y, Statistics* of, float* frames,
                          float* z) {
  return guarded([&] { forward(*b, x, bias, y, of, frames, z); });
}
int zspex_tcn_forward_bf16(const Block* b, const float* x, const float* bias, float* y, Statistics* of, Bf16* frames,
                           Bf16* z) {
  return guarded([&] { forward(*b, x, bias, y, of, frames, z); });
}

}  // extern "C"
