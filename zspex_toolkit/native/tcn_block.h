// What both directions of a temporal convolution block share.
//
// B utterances of L frames, C channels, H hidden channels (both multiples of 32, zeros among the parameters fill them
// up), three taps. T is the type of what products take: float, or Bf16.
#pragma once
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "columns.h"
#include "guard.h"
#include "products.h"

extern "C" {

struct Block {
  int64_t batch, num_frames, channels, hidden, dilation, num_threads;
  double count, eps;  // values that a normalisation measures; added to their variance
  const float *slope_in, *gain_in, *offset_in, *taps, *tap_bias, *slope_out;
  const float *w_in, *w_out;    // (H, C); (C, H), times gain_out
  const float *out_of_gain;     // (C,): w_out gain_out
  const float *out_of_offset;   // (C,): w_out offset_out + b_out
};

struct Statistics {  // of one normalisation of one utterance
  double mean, scale;
};

struct Sums {  // of gradients, over utterances
  float *w_in, *crossed;         // (C, H): of w_in, transposed; the output's gradient x scale x rectified frames
  float *total, *centred_total;  // (C,): of the output's gradient; that times mean times scale
  float *gain_in, *offset_in, *taps, *tap_bias;
  double *slopes;  // (2,): in, out
};

}  // extern "C"

namespace {

typedef double Doubles __attribute__((vector_size(128)));

inline Floats rectify(Floats z, float slope) { return z > 0.0f ? z : z * slope; }
inline Floats rectify_gradient(Floats g, Floats z, float slope) { return z > 0.0f ? g : g * slope; }
inline Floats negative_part(Floats z) { return z > 0.0f ? Floats{} : z; }

class Tally {  // a sum of very many values
 public:
  void add(Floats v) { sums_ += __builtin_convertvector(v, Doubles); }
  double total() const {
    double sum = 0;
    for (int64_t i = 0; i < kLanes; ++i) sum += sums_[i];
    return sum;
  }

 private:
  Doubles sums_ = {};
};

struct Moments {
  Tally sum, power;
};

constexpr int64_t kChunk = 1024;  // frames summed in single precision

// Moments of rectify(z + bias) - centre; without its padding if the centre is not 0.
template <class T>
Moments moments(const Block& b, const T* z, const float* bias, float slope, float centre) {
  Moments all;
  for (int64_t t = 0; t < b.num_frames; ++t)
    for (int64_t h = 0; h < b.hidden; h += kLanes) {
      const Floats p = rectify(load(z + t * b.hidden + h) + (bias ? load(bias + h) : Floats{}), slope) - centre;
      all.sum.add(p), all.power.add(p * p);
    }
  return all;
}

// Mean and 1 / sqrt(variance + eps) of rectify(z + bias), whose moments were taken; z is read again if they cancel out.
template <class T>
Statistics statistics(const Block& b, const Moments& taken, const T* z, const float* bias, float slope) {
  const double mean = taken.sum.total() / b.count, power = taken.power.total() / b.count;
  double variance = power - mean * mean;
  if (variance < 0.01 * power) {
    const double padding = (double)b.num_frames * b.hidden - b.count, centre = (float)mean;
    variance = (moments(b, z, bias, slope, (float)mean).power.total() - padding * centre * centre) / b.count;
  }
  return {mean, 1 / std::sqrt(std::max(variance, 0.0) + b.eps)};
}

// Memory of one thread, kept until it ends, as large as the largest call needed: what is fresh would have to be cleared
// by the system. That of the calling thread serves all its calls; the threads of other shares end with each call.
class Scratch {
 public:
  template <class T>
  T* take(int64_t count) {
    const size_t size = (count * sizeof(T) + 63) / 64 * 64;
    if (used_ == pieces_.size()) pieces_.emplace_back();
    Piece& piece = pieces_[used_++];
    if (piece.size < size) {
      piece = {};  // first, so that both are never there at once
      piece.memory.reset(std::aligned_alloc(64, size));
      if (!piece.memory) throw std::bad_alloc();
      piece.size = size;
    }
    return static_cast<T*>(piece.memory.get());
  }
  void release() { used_ = 0; }

 private:
  struct Free { void operator()(void* p) const { std::free(p); } };
  using Memory = std::unique_ptr<void, Free>;
  struct Piece { Memory memory; size_t size = 0; };
  std::vector<Piece> pieces_;
  size_t used_ = 0;
};

inline Scratch& scratch() {
  thread_local Scratch own;
  own.release();
  return own;
}

// Frames normalised, convolved and, with kRectify, rectified and measured: z (L, H), which lacks its bias, to out.
template <bool kRectify, class T>
Moments convolve(const Block& b, const T* z, const float* bias, const Statistics& first, T* out) {
  const int64_t hidden = b.hidden, apart = b.dilation * hidden;
  const float slope_in = *b.slope_in, slope_out = *b.slope_out, scale = first.scale, mean = first.mean;
  Moments all;
  for_stripes(hidden, [&](int64_t column) {
    Floats shift[kStripe], offset[kStripe], taps[3][kStripe], weights[3][kStripe];
    for (int i = 0; i < kStripe; ++i) {
      const int64_t h = column + i * kLanes;
      const Floats gain = load(b.gain_in + h) * scale;
      shift[i] = load(bias + h);
      offset[i] = load(b.offset_in + h) - gain * mean;
      for (int k = 0; k < 3; ++k) {
        taps[k][i] = load(b.taps + k * hidden + h);
        weights[k][i] = taps[k][i] * gain;
      }
    }
    for_spans(b.num_frames, b.dilation, [&](auto past, auto future, int64_t from, int64_t to) {
      Floats base[kStripe];  // the padding is of the normalised signal: a tap that sees it adds no offset
      for (int i = 0; i < kStripe; ++i) {
        base[i] = load(b.tap_bias + column + i * kLanes) + taps[1][i] * offset[i];
        if constexpr (past()) base[i] += taps[0][i] * offset[i];
        if constexpr (future()) base[i] += taps[2][i] * offset[i];
      }
      for (int64_t start = from; start < to; start += kChunk) {
        Floats sums[kStripe] = {}, powers[kStripe] = {};
        for (int64_t t = start; t < std::min(start + kChunk, to); ++t)
          for (int i = 0; i < kStripe; ++i) {
            const int64_t at = t * hidden + column + i * kLanes;
            Floats y = base[i] + weights[1][i] * rectify(load(z + at) + shift[i], slope_in);
            if constexpr (past()) y += weights[0][i] * rectify(load(z + at - apart) + shift[i], slope_in);
            if constexpr (future()) y += weights[2][i] * rectify(load(z + at + apart) + shift[i], slope_in);
            if constexpr (kRectify) {
              y = rectify(y, slope_out);
              sums[i] += y, powers[i] += y * y;
            }
            store(out + at, y);
          }
        if constexpr (kRectify)
          for (int i = 0; i < kStripe; ++i) all.sum.add(sums[i]), all.power.add(powers[i]);
      }
    });
  });
  return all;
}

// run(first, end, share) over shares of the utterances, each in a thread of its own, or in this one if there is no more.
template <class F>
void share_utterances(const Block& b, F run) {
  const int64_t shares = std::max<int64_t>(std::min(b.num_threads, b.batch), 1);
  std::atomic<bool> failed{false};  // an exception that left a thread would end the process
  const auto attempt = [&](int64_t i) {
    if (guarded([&] { run(b.batch * i / shares, b.batch * (i + 1) / shares, i); })) failed = true;
  };
  std::vector<std::thread> others;
  others.reserve(shares);
  for (int64_t i = 1; i < shares; ++i) {
    try {
      others.emplace_back([&attempt, i] { attempt(i); });
    } catch (...) {
      attempt(i);
    }
  }
  attempt(0);
  for (std::thread& other : others) other.join();
  if (failed) throw std::bad_alloc();
}

}  // namespace
