// The passes of the gradient of a temporal convolution block between its matrix products, for one utterance.
#include <vector>

#include "tcn_block.h"

namespace {

// Sums over frames of the output's gradient (L, C), which is also rounded if the products want it so.
template <bool kRound>
void receive(const Block& b, const float* grad, Bf16* rounded, float* total) {
  for_columns(b.channels, [&](auto stripe, int64_t column) {
    constexpr int width = decltype(stripe)::width;
    Floats sums[width] = {};
    for (int64_t t = 0; t < b.num_frames; ++t)
      for (int i = 0; i < width; ++i) {
        const Floats g = stripe.get(grad + t * b.channels + column, i);
        if constexpr (kRound) stripe.put(rounded + t * b.channels + column, i, g);
        sums[i] += g;
      }
    for (int i = 0; i < width; ++i) stripe.put(total + column, i, sums[i]);
  });
}

// Adds what the gradients of the last normalisation and product need; crossed (C, H): output's gradient x rectified.
template <class T>
Correction cross(const Block& b, const T* crossed, const float* total, const Statistics& second, Sums& sums) {
  double gain_by_crossed = 0, gain_by_sums = 0;
  const float scale = second.scale, centre = second.scale * second.mean;
  for (int64_t c = 0; c < b.channels; ++c) {
    const float* weights = b.w_out_gain + c * b.hidden;
    float* own = sums.crossed + c * b.hidden;
    Floats along = {};
    for_columns(b.hidden, [&](auto stripe, int64_t column) {
      for (int i = 0; i < decltype(stripe)::width; ++i) {
        const Floats value = stripe.get(crossed + c * b.hidden + column, i);
        along += value * stripe.get(weights + column, i);
        stripe.put(own + column, i, stripe.get(own + column, i) + scale * value);
      }
    });
    gain_by_crossed += exact_total(along);
    gain_by_sums += (double)total[c] * b.out_of_gain[c];
    sums.total[c] += total[c];
    sums.centred_total[c] += centre * total[c];
  }
  const double of_gain = second.scale * (gain_by_crossed - second.mean * gain_by_sums);
  return correction(second, of_gain, gain_by_sums, (double)b.num_frames * b.hidden);
}

struct TapSums {  // over the frames that a tap sees
  std::vector<float> plain, crossed;  // (3, H): of the gradient; times the tap's input
  explicit TapSums(int64_t hidden) : plain(3 * hidden), crossed(3 * hidden) {}
};

// In place of g, the gradient of the rectified frames but for its correction: that of the convolved ones.
template <class T>
TapSums unrectify(const Block& b, T* g, const T* convolved, const T* z, const float* bias, const Correction& add,
                  double norm_scale, double* of_slope) {
  const int64_t hidden = b.hidden, apart = b.dilation * hidden;
  const float slope_in = *b.slope_in, slope_out = *b.slope_out;
  const float scale = norm_scale, slope = add.slope, constant = add.constant;
  TapSums taps(hidden);
  for_columns(hidden, [&](auto stripe, int64_t column) {
    constexpr int width = decltype(stripe)::width;
    Floats shift[width], of_slopes[width] = {}, plain[3][width] = {}, crossed[3][width] = {};
    for (int i = 0; i < width; ++i) shift[i] = stripe.get(bias + column, i);
    for_spans(b.num_frames, b.dilation, [&](auto past, auto future, int64_t from, int64_t to) {
      Floats sums[width] = {};
      for (int64_t t = from; t < to; ++t) {
        const int64_t at = t * hidden + column;
        for (int i = 0; i < width; ++i) {
          const Floats y = stripe.get(convolved + at, i);
          const Floats whole = scale * stripe.get(g + at, i) + (slope * rectify(y, slope_out) + constant);
          of_slopes[i] += whole * (y > 0.0f ? Floats{} : y);
          const Floats of_y = y > 0.0f ? whole : whole * slope_out;
          stripe.put(g + at, i, of_y);
          sums[i] += of_y;
          crossed[1][i] += of_y * rectify(stripe.get(z + at, i) + shift[i], slope_in);
          if constexpr (past()) crossed[0][i] += of_y * rectify(stripe.get(z + at - apart, i) + shift[i], slope_in);
          if constexpr (future()) crossed[2][i] += of_y * rectify(stripe.get(z + at + apart, i) + shift[i], slope_in);
        }
      }
      for (int i = 0; i < width; ++i) {
        plain[1][i] += sums[i];
        if constexpr (past()) plain[0][i] += sums[i];
        if constexpr (future()) plain[2][i] += sums[i];
      }
    });
    for (int i = 0; i < width; ++i) {
      *of_slope += exact_total(of_slopes[i]);
      for (int k = 0; k < 3; ++k) {
        stripe.put(taps.plain.data() + k * hidden + column, i, plain[k][i]);
        stripe.put(taps.crossed.data() + k * hidden + column, i, crossed[k][i]);
      }
    }
  });
  return taps;
}

// Adds the gradients of the convolution's and the first normalisation's parameters.
Correction account(const Block& b, const TapSums& of, const Statistics& first, Sums& sums) {
  const int64_t hidden = b.hidden;
  double gain_by_its_gradient = 0, gain_by_sums = 0;
  for (int64_t h = 0; h < hidden; ++h) {
    const double scale = b.gain_in[h] * first.scale, shift = b.offset_in[h] - scale * first.mean;
    double plain = 0, crossed = 0;
    for (int64_t k = 0; k < 3; ++k) {
      const int64_t at = k * hidden + h;
      plain += (double)b.taps[at] * of.plain[at];
      crossed += (double)b.taps[at] * of.crossed[at];
      sums.taps[at] += of.crossed[at] * scale + of.plain[at] * shift;
    }
    const double of_gain = (crossed - first.mean * plain) * first.scale;
    gain_by_its_gradient += b.gain_in[h] * of_gain;
    gain_by_sums += b.gain_in[h] * plain;
    sums.gain_in[h] += of_gain;
    sums.offset_in[h] += plain;
    sums.tap_bias[h] += of.plain[hidden + h];
  }
  return correction(first, gain_by_its_gradient, gain_by_sums, (double)b.num_frames * hidden);
}

// Gradients of z (L, H) and of its bias (H,) from that of the convolved frames, g (L, H).
template <class T>
void unconvolve(const Block& b, const T* g, const T* z, const float* bias, const Statistics& first,
                const Correction& add, T* of_z, float* of_bias, double* of_slope) {
  const int64_t hidden = b.hidden, apart = b.dilation * hidden;
  const float slope_in = *b.slope_in, scale = first.scale, slope = add.slope, constant = add.constant;
  for_columns(hidden, [&](auto stripe, int64_t column) {
    constexpr int width = decltype(stripe)::width;
    Floats shift[width], weights[3][width], sums[width] = {}, of_slopes[width] = {};
    for (int i = 0; i < width; ++i) {
      shift[i] = stripe.get(bias + column, i);
      for (int k = 0; k < 3; ++k)
        weights[k][i] = stripe.get(b.taps + k * hidden + column, i) * stripe.get(b.gain_in + column, i) * scale;
    }
    for_spans(b.num_frames, b.dilation, [&](auto past, auto future, int64_t from, int64_t to) {
      for (int64_t t = from; t < to; ++t) {
        const int64_t at = t * hidden + column;
        for (int i = 0; i < width; ++i) {
          const Floats x = stripe.get(z + at, i) + shift[i];
          Floats whole = weights[1][i] * stripe.get(g + at, i) + (slope * rectify(x, slope_in) + constant);
          if constexpr (past()) whole += weights[2][i] * stripe.get(g + at - apart, i);
          if constexpr (future()) whole += weights[0][i] * stripe.get(g + at + apart, i);
          of_slopes[i] += whole * (x > 0.0f ? Floats{} : x);
          const Floats of_x = x > 0.0f ? whole : whole * slope_in;
          stripe.put(of_z + at, i, of_x);
          sums[i] += of_x;
        }
      }
    });
    for (int i = 0; i < width; ++i) {
      *of_slope += exact_total(of_slopes[i]);
      stripe.put(of_bias + column, i, sums[i]);
    }
  });
}

template <class T>
void hidden_gradients(const Block& b, T* g, const T* convolved, const T* z, const float* bias, const Statistics* of,
                      const T* crossed, const float* total, T* of_z, float* of_bias, Sums& sums) {
  const Correction second = cross(b, crossed, total, of[1], sums);
  const TapSums taps = unrectify(b, g, convolved, z, bias, second, of[1].scale, sums.slopes + 1);
  const Correction first = account(b, taps, of[0], sums);
  unconvolve(b, g, z, bias, of[0], first, of_z, of_bias, sums.slopes);
}

template <class A, class B>
void add(const A* x, const B* y, float* out, int64_t count) {
  for_columns(count, [&](auto stripe, int64_t at) {
    for (int i = 0; i < decltype(stripe)::width; ++i)
      stripe.put(out + at, i, stripe.get(x + at, i) + stripe.get(y + at, i));
  });
}

// Gradient of the input, and the sum of those of the first weights.
template <class T>
void leave(const Block& b, const float* grad, const T* product, const T* of_w_in, float* of_x, Sums& sums) {
  add(grad, product, of_x, b.num_frames * b.channels);
  add(sums.w_in, of_w_in, sums.w_in, b.channels * b.hidden);
}

}  // namespace

extern "C" {

void zspex_tcn_receive_f32(const Block* b, const float* grad, float*, float* total) {
  receive<false>(*b, grad, nullptr, total);
}
void zspex_tcn_receive_bf16(const Block* b, const float* grad, Bf16* rounded, float* total) {
  receive<true>(*b, grad, rounded, total);
}
void zspex_tcn_hidden_gradients_f32(const Block* b, float* g, const float* convolved, const float* z,
                                    const float* bias, const Statistics* of, const float* crossed, const float* total,
                                    float* of_z, float* of_bias, Sums* sums) {
  hidden_gradients(*b, g, convolved, z, bias, of, crossed, total, of_z, of_bias, *sums);
}
void zspex_tcn_hidden_gradients_bf16(const Block* b, Bf16* g, const Bf16* convolved, const Bf16* z, const float* bias,
                                     const Statistics* of, const Bf16* crossed, const float* total, Bf16* of_z,
                                     float* of_bias, Sums* sums) {
  hidden_gradients(*b, g, convolved, z, bias, of, crossed, total, of_z, of_bias, *sums);
}
void zspex_tcn_leave_f32(const Block* b, const float* grad, const float* product, const float* of_w_in, float* of_x,
                         Sums* sums) {
  leave(*b, grad, product, of_w_in, of_x, *sums);
}
void zspex_tcn_leave_bf16(const Block* b, const float* grad, const Bf16* product, const Bf16* of_w_in, float* of_x,
                          Sums* sums) {
  leave(*b, grad, product, of_w_in, of_x, *sums);
}

}  // extern "C"
