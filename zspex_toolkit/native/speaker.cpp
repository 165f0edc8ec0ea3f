// Passes of a residual block of the speaker encoder: batch norm, PReLU, and the maximum of every three frames.
// T is float or Bf16, what products read and write; B utterances of L frames, of which counts[b] are true, C channels.
#include "guard.h"
#include "simd.h"

namespace {

inline Floats rectify(Floats v, float slope) { return v > 0 ? v : v * slope; }
inline Floats rectify_slope(Floats v, float slope) { return v > 0 ? splat(1) : splat(slope); }
inline void add(float* p, Floats v) { store(p, load(p) + v); }

// Sums over the true frames of x less a pivot (C,), so that squares keep their digits, and of its square: (B, C) each.
template <class T>
void channel_sums(const T* x, const float* pivot, const int64_t* counts, float* sums, float* squares, int64_t B,
                  int64_t L, int64_t C) {
  for (int64_t b = 0; b < B; ++b)
    for (int64_t l = 0; l < counts[b]; ++l)
      for (int64_t c = 0; c < C; c += kLanes) {
        Floats v = load(x + (b * L + l) * C + c) - load(pivot + c);
        add(sums + b * C + c, v);
        add(squares + b * C + c, v * v);
      }
}

// PReLU(x * scale + shift) of R rows.
template <class T>
void rectify_channels(const T* x, const float* scale, const float* shift, float slope, T* out, int64_t R, int64_t C) {
  for (int64_t r = 0; r < R; ++r)
    for (int64_t c = 0; c < C; c += kLanes)
      store(out + r * C + c, rectify(load(x + r * C + c) * load(scale + c) + load(shift + c), slope));
}

// Gradient g of x * scale + shift from that of `rectify_channels`, in its place; adds the sums over rows of g and g x.
template <class T>
void rectify_channels_back(T* grad, const T* x, const float* scale, const float* shift, float slope, float* sums,
                           float* products, float* of_slope, int64_t R, int64_t C) {
  double slopes = 0;
  for (int64_t r = 0; r < R; ++r) {
    Floats row = splat(0);
    for (int64_t c = 0; c < C; c += kLanes) {
      Floats v = load(x + r * C + c), y = v * load(scale + c) + load(shift + c), g = load(grad + r * C + c);
      row += y > 0 ? splat(0) : y * g;
      g *= rectify_slope(y, slope);
      store(grad + r * C + c, g);
      add(sums + c, g);
      add(products + c, g * v);
    }
    slopes += total(row);
  }
  *of_slope += (float)slopes;
}

// Gradient of x from that, g, of its norm: scale * g + a * x + b (C,), the last two for true frames.
template <class T>
void channel_norm_back(const T* g, const T* x, const float* scale, const float* a, const float* b,
                       const int64_t* counts, T* out, int64_t B, int64_t L, int64_t C) {
  for (int64_t r = 0; r < B * L; ++r) {
    bool is_true = r % L < counts[r / L];
    for (int64_t c = 0; c < C; c += kLanes) {
      Floats v = load(g + r * C + c) * load(scale + c);
      if (is_true) v += load(x + r * C + c) * load(a + c) + load(b + c);
      store(out + r * C + c, v);
    }
  }
}

constexpr int64_t kPooling = 3;

// x * scale + shift + skip of three frames that lie C apart, and which of them is the greatest behind the PReLU.
template <class T>
struct Pool {
  Floats x[kPooling], before[kPooling], best;
  Ints is_best[kPooling];
  Pool(const T* values, const T* skip, Floats scale, Floats shift, float slope, int64_t C) {
    for (int64_t k = 0; k < kPooling; ++k) {
      x[k] = load(values + k * C);
      before[k] = x[k] * scale + shift + load(skip + k * C);
      Floats y = rectify(before[k], slope);
      is_best[k] = k == 0 ? Ints{} - 1 : (Ints)((y > best) | (y != y));
      best = is_best[k] ? y : best;
      for (int64_t j = 0; j < k; ++j) is_best[j] &= ~is_best[k];
    }
  }
};

// Maximum of every three frames of PReLU(x * scale + shift + skip): (B, L, C) to (B, L / 3, C).
template <class T>
void pool(const T* x, const T* skip, const float* scale, const float* shift, float slope, float* out, int64_t B,
          int64_t L, int64_t C) {
  int64_t num_pools = L / kPooling;
  for (int64_t q = 0; q < B * num_pools; ++q) {
    int64_t from = (q / num_pools * L + q % num_pools * kPooling) * C;
    for (int64_t c = 0; c < C; c += kLanes) {
      Pool<T> three(x + from + c, skip + from + c, load(scale + c), load(shift + c), slope, C);
      store(out + q * C + c, three.best);
    }
  }
}

// Gradient g of x * scale + shift + skip from that of `pool`; adds the sums over rows of g and g x, (C,), and of_slope.
template <class T>
void pool_back(const float* grad, const T* x, const T* skip, const float* scale, const float* shift, float slope, T* g,
               float* sums, float* products, float* of_slope, int64_t B, int64_t L, int64_t C) {
  int64_t num_pools = L / kPooling;
  double slopes = 0;
  for (int64_t b = 0; b < B; ++b) memset(g + (b * L + num_pools * kPooling) * C, 0, L % kPooling * C * sizeof(T));
  for (int64_t q = 0; q < B * num_pools; ++q) {
    int64_t from = (q / num_pools * L + q % num_pools * kPooling) * C;
    Floats row = splat(0);
    for (int64_t c = 0; c < C; c += kLanes) {
      Pool<T> three(x + from + c, skip + from + c, load(scale + c), load(shift + c), slope, C);
      Floats of_best = load(grad + q * C + c), sum = splat(0), product = splat(0);
      for (int64_t k = 0; k < kPooling; ++k) {
        Floats value = three.is_best[k] ? of_best : splat(0);
        row += three.before[k] > 0 ? splat(0) : three.before[k] * value;
        value *= rectify_slope(three.before[k], slope);
        store(g + from + k * C + c, value);
        sum += value;
        product += value * three.x[k];
      }
      add(sums + c, sum);
      add(products + c, product);
    }
    slopes += total(row);
  }
  *of_slope += (float)slopes;
}

}  // namespace

#define EXPORT(T, name)                                                                                            \
  extern "C" int zspex_channel_sums_##name(const T* x, const float* pivot, const int64_t* counts, float* sums,     \
                                           float* squares, int64_t B, int64_t L, int64_t C) {                      \
    return guarded([&] { channel_sums(x, pivot, counts, sums, squares, B, L, C); });                               \
  }                                                                                                                \
  extern "C" int zspex_rectify_channels_##name(const T* x, const float* scale, const float* shift, float slope,    \
                                               T* out, int64_t R, int64_t C) {                                     \
    return guarded([&] { rectify_channels(x, scale, shift, slope, out, R, C); });                                  \
  }                                                                                                                \
  extern "C" int zspex_rectify_channels_back_##name(T* grad, const T* x, const float* scale, const float* shift,   \
                                                    float slope, float* sums, float* products, float* of_slope,    \
                                                    int64_t R, int64_t C) {                                        \
    return guarded([&] { rectify_channels_back(grad, x, scale, shift, slope, sums, products, of_slope, R, C); });  \
  }                                                                                                                \
  extern "C" int zspex_channel_norm_back_##name(const T* g, const T* x, const float* scale, const float* a,        \
                                                const float* b, const int64_t* counts, T* out, int64_t B,          \
                                                int64_t L, int64_t C) {                                            \
    return guarded([&] { channel_norm_back(g, x, scale, a, b, counts, out, B, L, C); });                           \
  }                                                                                                                \
  extern "C" int zspex_pool_##name(const T* x, const T* skip, const float* scale, const float* shift, float slope, \
                                   float* out, int64_t B, int64_t L, int64_t C) {                                  \
    return guarded([&] { pool(x, skip, scale, shift, slope, out, B, L, C); });                                     \
  }                                                                                                                \
  extern "C" int zspex_pool_back_##name(const float* grad, const T* x, const T* skip, const float* scale,          \
                                        const float* shift, float slope, T* g, float* sums, float* products,       \
                                        float* of_slope, int64_t B, int64_t L, int64_t C) {                        \
    return guarded([&] { pool_back(grad, x, skip, scale, shift, slope, g, sums, products, of_slope, B, L, C); });  \
  }

EXPORT(float, f32)
EXPORT(Bf16, bf16)
