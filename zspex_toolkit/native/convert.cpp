// Rounding of float32 to bfloat16.
#include "simd.h"

extern "C" int zspex_round(const float* x, Bf16* out, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, load(x + i));
  float rest[kLanes] = {};
  Bf16 rounded[kLanes];
  memcpy(rest, x + i, (count - i) * sizeof(float));
  store(rounded, load(rest));
  memcpy(out + i, rounded, (count - i) * sizeof(Bf16));
  return 0;
}
