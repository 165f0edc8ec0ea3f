// The passes of a temporal convolution block between its matrix products, for one utterance.
#include "tcn_block.h"

namespace {

// Normalised, convolved and rectified frames: z (L, H) without its bias -> rectified (L, H), and before it if asked for.
template <bool kKeep, class T>
Moments convolve(const Block& b, const T* z, const float* bias, const Statistics& first, T* rectified, T* convolved) {
  const int64_t hidden = b.hidden, apart = b.dilation * hidden;
  const float slope_in = *b.slope_in, slope_out = *b.slope_out;
  const float scale = first.scale, mean = first.mean;
  Moments all;
  for_columns(hidden, [&](auto stripe, int64_t column) {
    constexpr int width = decltype(stripe)::width;
    Floats shift[width], offset[width], taps[3][width], weights[3][width];
    for (int i = 0; i < width; ++i) {
      const Floats gain = stripe.get(b.gain_in + column, i) * scale;
      shift[i] = stripe.get(bias + column, i);
      offset[i] = stripe.get(b.offset_in + column, i) - gain * mean;
      for (int k = 0; k < 3; ++k) {
        taps[k][i] = stripe.get(b.taps + k * hidden + column, i);
        weights[k][i] = taps[k][i] * gain;
      }
    }
    for_spans(b.num_frames, b.dilation, [&](auto past, auto future, int64_t from, int64_t to) {
      Floats base[width];  // the padding is of the normalised signal: a tap that sees it adds no offset
      for (int i = 0; i < width; ++i) {
        base[i] = stripe.get(b.tap_bias + column, i) + taps[1][i] * offset[i];
        if constexpr (past()) base[i] += taps[0][i] * offset[i];
        if constexpr (future()) base[i] += taps[2][i] * offset[i];
      }
      for (int64_t start = from; start < to; start += kChunk) {
        Floats sums[width] = {}, powers[width] = {};
        for (int64_t t = start; t < std::min(start + kChunk, to); ++t) {
          const T* here = z + t * hidden + column;
          for (int i = 0; i < width; ++i) {
            Floats y = base[i] + weights[1][i] * rectify(stripe.get(here, i) + shift[i], slope_in);
            if constexpr (past()) y += weights[0][i] * rectify(stripe.get(here - apart, i) + shift[i], slope_in);
            if constexpr (future()) y += weights[2][i] * rectify(stripe.get(here + apart, i) + shift[i], slope_in);
            if constexpr (kKeep) stripe.put(convolved + t * hidden + column, i, y);
            const Floats p = rectify(y, slope_out);
            stripe.put(rectified + t * hidden + column, i, p);
            if constexpr (!kKeep) sums[i] += p, powers[i] += p * p;
          }
        }
        if constexpr (!kKeep)
          for (int i = 0; i < width; ++i) all.add(sums[i], powers[i]);
      }
    });
  });
  return all;
}

template <class T>
void hide(const Block& b, const T* z, const float* bias, Statistics* of, T* rectified) {
  of[0] = statistics(b, moments(z, bias, *b.slope_in, b.num_frames, b.hidden, 0), z, bias, *b.slope_in);
  const Moments taken = convolve<false, T>(b, z, bias, of[0], rectified, nullptr);
  of[1] = statistics(b, taken, rectified, nullptr, 1);
}

// y = x + scale * product + what the offsets of the last normalisation give.
template <class T>
void finish(const Block& b, const float* x, const T* product, const Statistics* of, float* y) {
  const float scale = of[1].scale, centre = of[1].scale * of[1].mean;
  for_columns(b.channels, [&](auto stripe, int64_t column) {
    constexpr int width = decltype(stripe)::width;
    Floats shift[width];
    for (int i = 0; i < width; ++i)
      shift[i] = stripe.get(b.out_of_offset + column, i) - centre * stripe.get(b.out_of_gain + column, i);
    for (int64_t t = 0; t < b.num_frames; ++t) {
      const int64_t at = t * b.channels + column;
      for (int i = 0; i < width; ++i)
        stripe.put(y + at, i, stripe.get(x + at, i) + (scale * stripe.get(product + at, i) + shift[i]));
    }
  });
}

}  // namespace

extern "C" {

void zspex_tcn_hide_f32(const Block* b, const float* z, const float* bias, Statistics* of, float* rectified) {
  hide(*b, z, bias, of, rectified);
}
void zspex_tcn_hide_bf16(const Block* b, const Bf16* z, const float* bias, Statistics* of, Bf16* rectified) {
  hide(*b, z, bias, of, rectified);
}
void zspex_tcn_hide_again_f32(const Block* b, const float* z, const float* bias, const Statistics* of,
                              float* rectified, float* convolved) {
  convolve<true>(*b, z, bias, of[0], rectified, convolved);
}
void zspex_tcn_hide_again_bf16(const Block* b, const Bf16* z, const float* bias, const Statistics* of, Bf16* rectified,
                               Bf16* convolved) {
  convolve<true>(*b, z, bias, of[0], rectified, convolved);
}
void zspex_tcn_finish_f32(const Block* b, const float* x, const float* product, const Statistics* of, float* y) {
  finish(*b, x, product, of, y);
}
void zspex_tcn_finish_bf16(const Block* b, const float* x, const Bf16* product, const Statistics* of, float* y) {
  finish(*b, x, product, of, y);
}

}  // extern "C"
