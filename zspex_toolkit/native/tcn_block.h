// What the passes of a temporal convolution block share; C channels, H hidden channels, L frames, three taps.
#pragma once
#include <cmath>

#include "columns.h"

extern "C" {

struct Block {  // sizes and parameters, the same for all utterances
  int64_t num_frames, channels, hidden, dilation;
  double eps;
  const float *slope_in, *gain_in, *offset_in, *taps, *tap_bias, *slope_out;
  const float *w_out_gain;    // (C, H): w_out times gain_out
  const float *out_of_gain;   // (C,): w_out gain_out
  const float *out_of_offset; // (C,): w_out offset_out + b_out
};

struct Statistics {  // of one normalisation of one utterance
  double mean, scale;
};

struct Sums {  // of gradients, over utterances
  float *w_in;                   // (C, H), transposed
  float *crossed;                // (C, H): gradient of the output times what w_out_gain is applied to, normalised in scale
  float *total, *centred_total;  // (C,): of the gradient of the output; times mean times scale
  float *gain_in, *offset_in, *taps, *tap_bias;
  double *slopes;  // (2,): in, out
};

struct Correction {  // the gradient of a normalisation's input p is gain * scale * g + slope * p + constant
  double slope, constant;
};

}  // extern "C"

namespace {

constexpr int64_t kChunk = 1024;  // frames summed in single precision

struct Moments {
  double sum = 0, power = 0;
  void add(Floats sums, Floats powers) { sum += exact_total(sums), power += exact_total(powers); }
};

// Sums of rectify(z + bias) - centre and of its square.
template <class T>
Moments moments(const T* z, const float* bias, float slope, int64_t num_frames, int64_t hidden, double centre) {
  Moments all;
  for_columns(hidden, [&](auto stripe, int64_t column) {
    constexpr int width = decltype(stripe)::width;
    Floats shift[width], ones[width];
    for (int i = 0; i < width; ++i) {
      shift[i] = bias ? stripe.get(bias + column, i) : Floats{};
      ones[i] = splat(1);
    }
    if constexpr (std::is_same_v<decltype(stripe), Part>)
      for (int64_t lane = stripe.count; lane < kLanes; ++lane) ones[0][lane] = 0;
    for (int64_t start = 0; start < num_frames; start += kChunk) {
      Floats sums[width] = {}, powers[width] = {};
      for (int64_t t = start; t < std::min(start + kChunk, num_frames); ++t)
        for (int i = 0; i < width; ++i) {
          Floats p = rectify(stripe.get(z + t * hidden + column, i) + shift[i], slope) - ones[i] * (float)centre;
          sums[i] += p, powers[i] += p * p;
        }
      for (int i = 0; i < width; ++i) all.add(sums[i], powers[i]);
    }
  });
  return all;
}

// Mean and 1 / sqrt(variance + eps) of rectify(z + bias), whose moments were taken; z is read again if they cancel out.
template <class T>
Statistics statistics(const Block& block, Moments taken, const T* z, const float* bias, float slope) {
  const double count = (double)block.num_frames * block.hidden;
  const double mean = taken.sum / count, power = taken.power / count;
  double variance = power - mean * mean;
  if (variance < 0.01 * power) {
    const Moments centred = moments(z, bias, slope, block.num_frames, block.hidden, mean);
    variance = centred.power / count;
  }
  return {mean, 1 / std::sqrt(variance + block.eps)};
}

inline Correction correction(const Statistics& of, double gain_by_its_gradient, double gain_by_sums, double count) {
  const double slope = -of.scale * of.scale * gain_by_its_gradient / count;
  return {slope, -slope * of.mean - of.scale * gain_by_sums / count};
}

}  // namespace
