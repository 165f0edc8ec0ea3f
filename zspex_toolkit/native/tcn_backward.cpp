// The gradients of a temporal convolution block over a batch.
#include "tcn_block.h"

namespace {

struct Correction {  // the gradient of a normalisation's input p is gain * scale * g + slope * p + constant
  double slope, constant;
};

Correction correct(const Block& b, const Statistics& of, double gain_by_its_gradient, double gain_by_sums) {
  const double slope = -of.scale * of.scale * gain_by_its_gradient / b.count;
  return {slope, -slope * of.mean - of.scale * gain_by_sums / b.count};
}

// The output's gradient (L, C) as the products take it, and its sum over frames (C,).
template <class T>
const T* receive(const Block& b, const float* grad, T* rounded, float* total) {
  std::fill(total, total + b.channels, 0.0f);
  for (int64_t t = 0; t < b.num_frames; ++t)
    for (int64_t c = 0; c < b.channels; c += kLanes) {
      const Floats g = load(grad + t * b.channels + c);
      if constexpr (!std::is_same_v<T, float>) store(rounded + t * b.channels + c, g);
      store(total + c, load(total + c) + g);
    }
  if constexpr (std::is_same_v<T, float>) return grad;
  else return rounded;
}

// Adds what the gradients of the last normalisation and product need; crossed (C, H): output's gradient x rectified.
Correction leave_product(const Block& b, const float* crossed, const float* total, const Statistics& second,
                         const Sums& sums) {
  double gain_by_crossed = 0, gain_by_sums = 0;
  const float scale = second.scale, centre = second.scale * second.mean;
  Tally along;
  for (int64_t i = 0; i < b.channels * b.hidden; i += kLanes) {
    const Floats value = load(crossed + i);
    along.add(value * load(b.w_out + i));
    store(sums.crossed + i, load(sums.crossed + i) + scale * value);
  }
  gain_by_crossed = along.total();
  for (int64_t c = 0; c < b.channels; ++c) {
    gain_by_sums += (double)total[c] * b.out_of_gain[c];
    sums.total[c] += total[c];
    sums.centred_total[c] += centre * total[c];
  }
  return correct(b, second, second.scale * (gain_by_crossed - second.mean * gain_by_sums), gain_by_sums);
}

// The gradient g (L, H) of the convolved frames y, from that of the output (L, C).
template <class T>
void unproject(const Block& b, const T* grad, const Weights<T>& weights, const T* convolved, const Statistics& second,
               const Correction& add, T* g, double* of_slope) {
  const float slope_out = *b.slope_out, scale = second.scale, slope = add.slope, constant = add.constant;
  Tally of_slopes;
  multiply(grad, weights, b.num_frames, [&](auto& sums, int64_t row, int64_t column) {
    constexpr int tall = std::extent_v<std::remove_reference_t<decltype(sums)>, 0>;
    constexpr int wide = std::extent_v<std::remove_reference_t<decltype(sums)>, 1>;
    Floats own = {};
    for (int r = 0; r < tall; ++r)
      for (int v = 0; v < wide; ++v) {
        const int64_t at = (row + r) * b.hidden + column + v * kLanes;
        const Floats y = load(convolved + at);
        const Floats whole = scale * sums[r][v] + (slope * rectify(y, slope_out) + constant);
        own += whole * negative_part(y);
        store(g + at, rectify_gradient(whole, y, slope_out));
      }
    of_slopes.add(own);
  });
  *of_slope += of_slopes.total();
}

// For each tap the sums (3, H) over the frames that it sees: of g; of g times the tap's input.
template <class T>
void sum_taps(const Block& b, const T* g, const T* z, const float* bias, float* plain, float* crossed) {
  const int64_t hidden = b.hidden, apart = b.dilation * hidden;
  const float slope_in = *b.slope_in;
  for_stripes(hidden, [&](int64_t column) {
    Floats shift[kStripe], plains[3][kStripe] = {}, crosses[3][kStripe] = {};
    for (int i = 0; i < kStripe; ++i) shift[i] = load(bias + column + i * kLanes);
    for_spans(b.num_frames, b.dilation, [&](auto past, auto future, int64_t from, int64_t to) {
      Floats sums[kStripe] = {};
      for (int64_t t = from; t < to; ++t)
        for (int i = 0; i < kStripe; ++i) {
          const int64_t at = t * hidden + column + i * kLanes;
          const Floats own = load(g + at);
          sums[i] += own;
          crosses[1][i] += own * rectify(load(z + at) + shift[i], slope_in);
          if constexpr (past()) crosses[0][i] += own * rectify(load(z + at - apart) + shift[i], slope_in);
          if constexpr (future()) crosses[2][i] += own * rectify(load(z + at + apart) + shift[i], slope_in);
        }
      for (int i = 0; i < kStripe; ++i) {
        plains[1][i] += sums[i];
        if constexpr (past()) plains[0][i] += sums[i];
        if constexpr (future()) plains[2][i] += sums[i];
      }
    });
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < kStripe; ++i) {
        store(plain + k * hidden + column + i * kLanes, plains[k][i]);
        store(crossed + k * hidden + column + i * kLanes, crosses[k][i]);
      }
  });
}

// Adds the gradients of the convolution's and the first normalisation's parameters.
Correction leave_taps(const Block& b, const float* plain, const float* crossed, const Statistics& first,
                      const Sums& sums) {
  double gain_by_its_gradient = 0, gain_by_sums = 0;
  for (int64_t h = 0; h < b.hidden; ++h) {
    const double scale = b.gain_in[h] * first.scale, shift = b.offset_in[h] - scale * first.mean;
    double of_offset = 0, products = 0;
    for (int64_t k = 0; k < 3; ++k) {
      const int64_t at = k * b.hidden + h;
      of_offset += (double)b.taps[at] * plain[at];
      products += (double)b.taps[at] * crossed[at];
      sums.taps[at] += crossed[at] * scale + plain[at] * shift;
    }
    const double of_gain = (products - first.mean * of_offset) * first.scale;
    gain_by_its_gradient += b.gain_in[h] * of_gain;
    gain_by_sums += b.gain_in[h] * of_offset;
    sums.gain_in[h] += of_gain;
    sums.offset_in[h] += of_offset;
    sums.tap_bias[h] += plain[b.hidden + h];
  }
  return correct(b, first, gain_by_its_gradient, gain_by_sums);
}

// Gradients of z (L, H) and of its bias (H,) from that of the convolved frames, g (L, H).
template <class T>
void unconvolve(const Block& b, const T* g, const T* z, const float* bias, const Statistics& first,
                const Correction& add, T* of_z, float* of_bias, double* of_slope) {
  const int64_t hidden = b.hidden, apart = b.dilation * hidden;
  const float slope_in = *b.slope_in, scale = first.scale, slope = add.slope, constant = add.constant;
  Tally all_slopes;
  for_stripes(hidden, [&](int64_t column) {
    Floats shift[kStripe], weights[3][kStripe], sums[kStripe] = {}, of_slopes[kStripe] = {};
    for (int i = 0; i < kStripe; ++i) {
      const int64_t h = column + i * kLanes;
      shift[i] = load(bias + h);
      for (int k = 0; k < 3; ++k) weights[k][i] = load(b.taps + k * hidden + h) * load(b.gain_in + h) * scale;
    }
    for_spans(b.num_frames, b.dilation, [&](auto past, auto future, int64_t from, int64_t to) {
      for (int64_t t = from; t < to; ++t)
        for (int i = 0; i < kStripe; ++i) {
          const int64_t at = t * hidden + column + i * kLanes;
          const Floats x = load(z + at) + shift[i];
          Floats whole = weights[1][i] * load(g + at) + (slope * rectify(x, slope_in) + constant);
          if constexpr (past()) whole += weights[2][i] * load(g + at - apart);
          if constexpr (future()) whole += weights[0][i] * load(g + at + apart);
          of_slopes[i] += whole * negative_part(x);
          const Floats of_x = rectify_gradient(whole, x, slope_in);
          store(of_z + at, of_x);
          sums[i] += of_x;
        }
    });
    for (int i = 0; i < kStripe; ++i) {
      all_slopes.add(of_slopes[i]);
      store(of_bias + column + i * kLanes, sums[i]);
    }
  });
  *of_slope += all_slopes.total();
}

template <class T>
void unexpand(const Block& b, const float* grad, const T* of_z, const Weights<T>& weights, float* of_x) {
  multiply(of_z, weights, b.num_frames, [&](auto& sums, int64_t row, int64_t column) {
    constexpr int tall = std::extent_v<std::remove_reference_t<decltype(sums)>, 0>;
    constexpr int wide = std::extent_v<std::remove_reference_t<decltype(sums)>, 1>;
    for (int r = 0; r < tall; ++r)
      for (int v = 0; v < wide; ++v) {
        const int64_t at = (row + r) * b.channels + column + v * kLanes;
        store(of_x + at, load(grad + at) + sums[r][v]);
      }
  });
}

// frames (B, L, C): what the first product took; z (B, L, H): what it gave. sums: one for each share of the utterances.
template <class T>
void backward(const Block& b, const float* grad, const float* bias, const Statistics* of, const T* frames, const T* z,
              float* of_x, float* of_bias, const Sums* sums) {
  const Weights<T> w_in(b.w_in, b.hidden, b.channels, false), w_out(b.w_out, b.channels, b.hidden, false);
  const int64_t inputs = b.num_frames * b.channels, values = b.num_frames * b.hidden;
  share_utterances(b, [&](int64_t first, int64_t end, int64_t share) {
    Scratch& memory = scratch();
    T* rounded = memory.take<T>(inputs);
    T *convolved = memory.take<T>(values), *g = memory.take<T>(values);
    float *total = memory.take<float>(b.channels), *crossed = memory.take<float>(b.channels * b.hidden);
    float *plain_taps = memory.take<float>(3 * b.hidden), *crossed_taps = memory.take<float>(3 * b.hidden);
    const Sums& own = sums[share];
    for (int64_t i = first; i < end; ++i) {
      const Statistics *one = of + 2 * i, *two = one + 1;
      const float *grad_i = grad + i * inputs, *bias_i = bias + i * b.hidden;
      const T* z_i = z + i * values;
      const T* received = receive<T>(b, grad_i, rounded, total);
      convolve<false>(b, z_i, bias_i, *one, convolved);
      std::fill(crossed, crossed + b.channels * b.hidden, 0.0f);
      add_crossed(received, convolved, b.num_frames, b.channels, b.hidden, crossed,
                  [&](const T* y) { return round_to<T>(rectify(load(y), *b.slope_out)); });
      const Correction second = leave_product(b, crossed, total, *two, own);
      unproject(b, received, w_out, convolved, *two, second, g, own.slopes + 1);
      sum_taps(b, g, z_i, bias_i, plain_taps, crossed_taps);
      const Correction last = leave_taps(b, plain_taps, crossed_taps, *one, own);
      T* of_z = convolved;  // which are not needed any more
      unconvolve(b, g, z_i, bias_i, *one, last, of_z, of_bias + i * b.hidden, own.slopes);
      unexpand(b, grad_i, of_z, w_in, of_x + i * inputs);
      add_crossed(frames + i * inputs, of_z, b.num_frames, b.channels, b.hidden, own.w_in);
    }
  });
}

}  // namespace

extern "C" {

int zspex_tcn_backward_f32(const Block* b, const float* grad, const float* bias, const Statistics* of,
                           const float* frames, const float* z, float* of_x, float* of_bias, const Sums* sums) {
  return guarded([&] { backward(*b, grad, bias, of, frames, z, of_x, of_bias, sums); });
}
int zspex_tcn_backward_bf16(const Block* b, const float* grad, const float* bias, const Statistics* of,
                            const Bf16* frames, const Bf16* z, float* of_x, float* of_bias, const Sums* sums) {
  return guarded([&] { backward(*b, grad, bias, of, frames, z, of_x, of_bias, sums); });
}

}  // extern "C"
