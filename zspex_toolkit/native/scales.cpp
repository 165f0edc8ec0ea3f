// Passes over frames of several scales: transform-average-concatenate, layer norm, masks; forward and backward.
// T is float or Bf16, what products read and write. Rows R = B L; B utterances, L frames, S scales, N filters.
#include <vector>

#include "guard.h"
#include "simd.h"

namespace {

inline Floats rectify(Floats v, float slope) { return v > 0 ? v : v * slope; }
inline Floats rectify_slope(Floats v, float slope) { return v > 0 ? splat(1) : splat(slope); }
inline void add(float* p, Floats v) { store(p, load(p) + v); }

// The addition of an exchange to scale s of row r: u = PReLU(own + shared + bias), then normalised.
template <class T>
struct Update {
  const T* own;     // (R, S, N)
  const T* shared;  // (R, N)
  const float* bias;
  float slope;
  const float *mean, *scale;    // (B, S): of u over the true frames, and 1 / deviation
  const float *gain, *offset;   // (N,)
  int64_t S, N;
  Floats before(int64_t r, int64_t s, int64_t c) const {
    return load(own + (r * S + s) * N + c) + load(shared + r * N + c) + load(bias + c);
  }
  Floats plain(int64_t r, int64_t s, int64_t c) const { return rectify(before(r, s, c), slope); }
  Floats normed(int64_t group, Floats u, int64_t c) const {
    return (u - mean[group]) * scale[group] * load(gain + c) + load(offset + c);
  }
};

// h = PReLU(v + bias) of S groups (R, S, H), and its mean over the groups (R, H) if that is not null.
template <class T>
void rectify_groups(const T* v, const float* bias, float slope, T* h, T* mean, int64_t R, int64_t S, int64_t H) {
  for (int64_t r = 0; r < R; ++r)
    for (int64_t c = 0; c < H; c += kLanes) {
      Floats sum = splat(0);
      for (int64_t s = 0; s < S; ++s) {
        int64_t i = (r * S + s) * H + c;
        Floats u = rectify(load(v + i) + load(bias + c), slope);
        store(h + i, u);
        sum += u;
      }
      if (mean) store(mean + r * H + c, sum / (float)S);
    }
}

// Gradient of v from that of h (R, S, H) and of the mean (R, H), if any; adds to of_bias (H,) and of_slope (1,).
template <class T>
void rectify_groups_back(const T* of_h, const T* of_mean, const T* v, const float* bias, float slope, T* of_v,
                         float* of_bias, float* of_slope, int64_t R, int64_t S, int64_t H) {
  double slopes = 0;
  for (int64_t r = 0; r < R; ++r) {
    Floats row = splat(0);
    for (int64_t c = 0; c < H; c += kLanes) {
      Floats common = of_mean ? load(of_mean + r * H + c) / (float)S : splat(0), b = load(bias + c), sum = splat(0);
      for (int64_t s = 0; s < S; ++s) {
        int64_t i = (r * S + s) * H + c;
        Floats before = load(v + i) + b, grad = load(of_h + i) + common;
        row += before > 0 ? splat(0) : before * grad;
        grad *= rectify_slope(before, slope);
        store(of_v + i, grad);
        sum += grad;
      }
      add(of_bias + c, sum);
    }
    slopes += total(row);
  }
  *of_slope += (float)slopes;
}

// Mean and 1 / deviation (B, S) of the update over the first counts[b] frames.
template <class T>
void update_moments(Update<T> u, const int64_t* counts, float eps, float* mean, float* scale, int64_t B, int64_t L) {
  for (int64_t b = 0; b < B; ++b)
    for (int64_t s = 0; s < u.S; ++s) {
      double sum = 0, squares = 0;
      for (int64_t l = 0; l < counts[b]; ++l) {
        Floats row = splat(0), row_squares = splat(0);
        for (int64_t c = 0; c < u.N; c += kLanes) {
          Floats value = u.plain(b * L + l, s, c);
          row += value;
          row_squares += value * value;
        }
        sum += total(row);
        squares += total(row_squares);
      }
      double count = (double)counts[b] * u.N, m = sum / count, variance = squares / count - m * m;
      mean[b * u.S + s] = (float)m;
      scale[b * u.S + s] = (float)(1 / __builtin_sqrt((variance > 0 ? variance : 0) + eps));
    }
}

// Gradient of own (R, S, N) and shared (R, N) from g, that of the normalised update; the gradient of u is
// scale * gain * g + a * u + b, the last two for true frames. Adds to of_bias (N,) and of_slope (1,).
template <class T>
void update_back(Update<T> u, const T* g, const float* a, const float* b, const int64_t* counts, T* of_own,
                 T* of_shared, float* of_bias, float* of_slope, int64_t B, int64_t L) {
  double slopes = 0;
  for (int64_t r = 0; r < B * L; ++r) {
    int64_t utterance = r / L;
    bool is_true = r - utterance * L < counts[utterance];
    Floats row = splat(0);
    for (int64_t c = 0; c < u.N; c += kLanes) {
      Floats sum = splat(0), gain = load(u.gain + c);
      for (int64_t s = 0; s < u.S; ++s) {
        int64_t group = utterance * u.S + s, i = (r * u.S + s) * u.N + c;
        Floats before = u.before(r, s, c), grad = load(g + i) * gain * u.scale[group];
        if (is_true) grad += rectify(before, u.slope) * a[group] + b[group];
        row += before > 0 ? splat(0) : before * grad;
        grad *= rectify_slope(before, u.slope);
        store(of_own + i, grad);
        sum += grad;
      }
      store(of_shared + r * u.N + c, sum);
      add(of_bias + c, sum);
    }
    slopes += total(row);
  }
  *of_slope += (float)slopes;
}

// The frame y = x + update of row r, into y (S N).
template <class T, bool kUpdated>
void frame(const float* x, const Update<T>& u, int64_t r, int64_t b, float* y) {
  for (int64_t s = 0; s < u.S; ++s)
    for (int64_t c = 0; c < u.N; c += kLanes) {
      Floats value = load(x + (r * u.S + s) * u.N + c);
      if (kUpdated) value += u.normed(b * u.S + s, u.plain(r, s, c), c);
      store(y + s * u.N + c, value);
    }
}

// Layer norm of every frame of x + update, (R, S N); keeps mean and 1 / deviation of the rows (R,).
template <class T, bool kUpdated>
void layer_norm(const float* x, Update<T> u, const float* gain, const float* offset, float eps, T* out, float* mean,
                float* scale, int64_t B, int64_t L) {
  int64_t width = u.S * u.N;
  std::vector<float> y(width);
  for (int64_t r = 0; r < B * L; ++r) {
    frame<T, kUpdated>(x, u, r, r / L, y.data());
    Floats sum = splat(0), squares = splat(0);
    for (int64_t c = 0; c < width; c += kLanes) sum += load(&y[c]);
    float m = total(sum) / width;
    for (int64_t c = 0; c < width; c += kLanes) squares += (load(&y[c]) - m) * (load(&y[c]) - m);
    float k = 1 / __builtin_sqrtf(total(squares) / width + eps);
    for (int64_t c = 0; c < width; c += kLanes)
      store(out + r * width + c, (load(&y[c]) - m) * k * load(gain + c) + load(offset + c));
    mean[r] = m;
    scale[r] = k;
  }
}

// Gradient g of x + update from that of the layer norm's output; adds to those of gain and offset (S N), and, if there
// is an update u, to the sums over frames of g and of g u (B, S, N), which its norm needs.
template <class T, class G, bool kUpdated>
void layer_norm_back(const T* grad, const float* x, Update<T> u, const float* gain, const float* mean,
                     const float* scale, G* g, float* of_gain, float* of_offset, float* sums, float* products,
                     int64_t B, int64_t L) {
  int64_t width = u.S * u.N;
  std::vector<float> y(width);
  for (int64_t r = 0; r < B * L; ++r) {
    int64_t b = r / L;
    frame<T, kUpdated>(x, u, r, b, y.data());
    Floats sum = splat(0), product = splat(0);
    for (int64_t c = 0; c < width; c += kLanes) {
      Floats normed = (load(&y[c]) - mean[r]) * scale[r], of_out = load(grad + r * width + c);
      add(of_gain + c, of_out * normed);
      add(of_offset + c, of_out);
      store(&y[c], normed);
      of_out *= load(gain + c);
      sum += of_out;
      product += of_out * normed;
    }
    float constant = total(sum) / width, slope = total(product) / width;
    for (int64_t s = 0; s < u.S; ++s)
      for (int64_t c = 0; c < u.N; c += kLanes) {
        int64_t i = s * u.N + c;
        Floats of_normed = load(grad + r * width + i) * load(gain + i);
        Floats value = (of_normed - constant - load(&y[i]) * slope) * scale[r];
        store(g + r * width + i, value);
        if (!kUpdated) continue;
        add(sums + b * width + i, value);
        add(products + b * width + i, value * u.plain(r, s, c));
      }
  }
}

// Masked encodings (S, R, N): ReLU(x + update) * encodings (R, S, N).
template <class T, bool kUpdated>
void mask(const T* x, const float* encodings, Update<T> u, float* out, int64_t B, int64_t L) {
  for (int64_t r = 0; r < B * L; ++r)
    for (int64_t s = 0; s < u.S; ++s)
      for (int64_t c = 0; c < u.N; c += kLanes) {
        int64_t i = (r * u.S + s) * u.N + c;
        Floats y = load(x + i);
        if (kUpdated) y += u.normed(r / L * u.S + s, u.plain(r, s, c), c);
        store(out + (s * B * L + r) * u.N + c, (y > 0 ? y : splat(0)) * load(encodings + i));
      }
}

// From the gradient of `mask` (S, R, N): those of the encodings and of what is rectified, g; and its sums over frames,
// (B, S, N): of g, and, if there is an update u, of g u. Also writes the output of `mask` once more.
template <class T, bool kUpdated>
void mask_back(const T* grad, const T* x, const float* encodings, Update<T> u, T* masked, T* g, float* of_encodings,
               float* sums, float* products, int64_t B, int64_t L) {
  for (int64_t r = 0; r < B * L; ++r)
    for (int64_t s = 0; s < u.S; ++s)
      for (int64_t c = 0; c < u.N; c += kLanes) {
        int64_t i = (r * u.S + s) * u.N + c, group = r / L * u.S + s;
        Floats y = load(x + i), value = splat(0), encoding = load(encodings + i);
        if (kUpdated) value = u.plain(r, s, c), y += u.normed(group, value, c);
        int64_t j = (s * B * L + r) * u.N + c;
        Floats of_masked = load(grad + j), of_y = y > 0 ? of_masked * encoding : splat(0);
        y = y > 0 ? y : splat(0);
        store(masked + j, y * encoding);
        store(of_encodings + i, of_masked * y);
        store(g + i, of_y);
        add(sums + group * u.N + c, of_y);
        if (kUpdated) add(products + group * u.N + c, of_y * value);
      }
}

}  // namespace

#define UPDATE_ARGUMENTS(T)                                                                                       \
  const T *own, const T *shared, const float *own_bias, float slope, float *mean, float *scale, const float *gain, \
      const float *offset, int64_t B, int64_t L, int64_t S, int64_t N
#define UPDATE(T) Update<T>{own, shared, own_bias, slope, mean, scale, gain, offset, S, N}

#define EXPORT(T, name)                                                                                               \
  extern "C" int zspex_rectify_groups_##name(const T* v, const float* bias, float slope, T* h, T* mean, int64_t R,    \
                                             int64_t S, int64_t H) {                                                  \
    return guarded([&] { rectify_groups(v, bias, slope, h, mean, R, S, H); });                                        \
  }                                                                                                                   \
  extern "C" int zspex_rectify_groups_back_##name(const T* of_h, const T* of_mean, const T* v, const float* bias,     \
                                                  float slope, T* of_v, float* of_bias, float* of_slope,              \
                                                  int64_t R, int64_t S, int64_t H) {                                  \
    return guarded([&] { rectify_groups_back(of_h, of_mean, v, bias, slope, of_v, of_bias, of_slope, R, S, H); });    \
  }                                                                                                                   \
  extern "C" int zspex_update_moments_##name(const int64_t* counts, float eps, UPDATE_ARGUMENTS(T)) {                 \
    return guarded([&] { update_moments(UPDATE(T), counts, eps, mean, scale, B, L); });                               \
  }                                                                                                                   \
  extern "C" int zspex_update_back_##name(const T* g, const float* a, const float* b, const int64_t* counts,          \
                                          T* of_own, T* of_shared, float* of_bias, float* of_slope,                   \
                                          UPDATE_ARGUMENTS(T)) {                                                      \
    return guarded([&] { update_back(UPDATE(T), g, a, b, counts, of_own, of_shared, of_bias, of_slope, B, L); });     \
  }                                                                                                                   \
  extern "C" int zspex_layer_norm_##name(const float* x, const float* weight, const float* bias, float eps, T* out,   \
                                         float* row_mean, float* row_scale, UPDATE_ARGUMENTS(T)) {                    \
    return guarded([&] {                                                                                              \
      (own ? layer_norm<T, true> : layer_norm<T, false>)(x, UPDATE(T), weight, bias, eps, out, row_mean, row_scale,   \
                                                         B, L);                                                       \
    });                                                                                                               \
  }                                                                                                                   \
  extern "C" int zspex_layer_norm_back_##name(const T* grad, const float* x, const float* weight,                     \
                                              const float* row_mean, const float* row_scale, void* g,                 \
                                              float* of_weight, float* of_bias, float* sums, float* products,         \
                                              UPDATE_ARGUMENTS(T)) {                                                  \
    return guarded([&] {                                                                                              \
      if (own)                                                                                                        \
        layer_norm_back<T, T, true>(grad, x, UPDATE(T), weight, row_mean, row_scale, (T*)g, of_weight, of_bias, sums, \
                                    products, B, L);                                                                  \
      else                                                                                                            \
        layer_norm_back<T, float, false>(grad, x, UPDATE(T), weight, row_mean, row_scale, (float*)g, of_weight,       \
                                         of_bias, sums, products, B, L);                                              \
    });                                                                                                               \
  }                                                                                                                   \
  extern "C" int zspex_mask_##name(const T* x, const float* encodings, float* out, UPDATE_ARGUMENTS(T)) {             \
    return guarded([&] { (own ? mask<T, true> : mask<T, false>)(x, encodings, UPDATE(T), out, B, L); });              \
  }                                                                                                                   \
  extern "C" int zspex_mask_back_##name(const T* grad, const T* x, const float* encodings, T* masked, T* g,           \
                                        float* of_encodings, float* sums, float* products,                            \
                                        UPDATE_ARGUMENTS(T)) {                                                        \
    return guarded([&] {                                                                                              \
      (own ? mask_back<T, true> : mask_back<T, false>)(grad, x, encodings, UPDATE(T), masked, g, of_encodings, sums,  \
                                                       products, B, L);                                               \
    });                                                                                                               \
  }

EXPORT(float, f32)
EXPORT(Bf16, bf16)
