// exp, log, tanh and their like on vectors, each within 4 units in the last place over its whole range. All but sin and
// cos are monotone, and reach their limits exactly. `tanh_of_one`, the only one on single numbers, is not monotone:
// between neighbouring floats it may fall by a few units in the last place.
//
// A value is monotone where each of its operations is: a rounded sum, product or quotient of monotone numbers is. So
// the functions that flatten out are quotients of exponentials, and no step cancels what another has rounded.
//
// The polynomials interpolate at Chebyshev nodes; each comment says what is approximated and on what interval.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> struct Format;
template <> struct Format<float> {
    static constexpr int mantissa = 23, bias = 127;
    static constexpr float to_whole = 12582912.0f;  // 1.5 · 2²³: adding it leaves no bit for a fraction
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440054690583e-4f;
    static constexpr float tanh_is_one = 9.5f;
    static constexpr float exp_low = -112.0f, exp_high = 89.0f;  // beyond these eˣ and x eˣ are 0, or eˣ is infinite
    static constexpr float smallest_normal = 1.17549435e-38f;
    static constexpr float far = 20.0f;              // e⁻ᶠᵃʳ is below half a unit in the last place of 1
    static constexpr int32_t leading_bits = ~0xfff;  // of a number: products of two numbers cut to these are exact
    // 2√(2/π) and 0.044715 times that, as 12 digits and the rest
    static constexpr float gelu_c[2] = {1.595703125f, 6.5996605731e-5f},
                           gelu_d[2] = {0.07135009765625f, 4.71861635e-6f};
    static constexpr float normal_reach = 15.0f;  // Φ(−a) a is 0 from there on
    static constexpr float pi_half[4] = {1.5703125f, 0.0004837512969970703f, 7.549533620476723e-08f, 2.56334407e-12f};
    static constexpr float pi_half_reach = 5000.0f;  // as far as the parts serve
};
template <> struct Format<double> {
    static constexpr int mantissa = 52, bias = 1023;
    static constexpr double to_whole = 6755399441055744.0;  // 1.5 · 2⁵²
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double tanh_is_one = 20.0;
    static constexpr double exp_low = -756.0, exp_high = 710.0;
    static constexpr double smallest_normal = 2.2250738585072014e-308;
    static constexpr double far = 40.0;
    static constexpr int64_t leading_bits = ~0x7ffffff;
    static constexpr double gelu_c[2] = {1.5957691073417663574, 1.4263964354337909e-8},
                            gelu_d[2] = {0.071354815736413002014, 5.3618724676217860e-10};
    static constexpr double normal_reach = 40.0;
    static constexpr double pi_half[4] = {1.57079632673412561417e+00, 6.07710050630396597660e-11,
                                          2.02226624879595063154e-21, 0.0};
    static constexpr double pi_half_reach = 1e5;
};

// c₀ + c₁x + c₂x² + … by Horner's rule.
template <class T, int N> inline Vec<T> polynomial(Vec<T> x, const T (&c)[N]) {
    Vec<T> sum = all<T>(c[N - 1]);
    for (int i = N - 2; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

template <class T> inline Vec<T> power_of_two(Integers<T> n) {
    return from_bits<T>((n + Format<T>::bias) << Format<T>::mantissa);
}

// x = n ln 2 + r with |r| ≤ ½ ln 2.
template <class T> inline Vec<T> reduce(Vec<T> x, Vec<T>& n) {
    using F = Format<T>;
    n = (x * T(1.4426950408889634074) + F::to_whole) - F::to_whole;
    return (x - n * F::ln2_high) - n * F::ln2_low;
}

// eʳ − 1 = r + r²(½ + r P(r)), |r| ≤ ½ ln 2.
inline Vec<float> expm1_of_small(Vec<float> r) {
    static constexpr float P[] = {0.5f,
                                  0.16666666666666667f,
                                  0.041666553762567638f,
                                  0.0083333207922532570f,
                                  0.0013926325618133462f,
                                  0.00019882856072090039f};
    return r + r * r * polynomial<float>(r, P);
}
inline Vec<double> expm1_of_small(Vec<double> r) {
    static constexpr double P[] = {0.5,
                                   0.16666666666666667468,
                                   0.041666666666666667239,
                                   0.0083333333333300117609,
                                   0.0013888888888886516759,
                                   0.00019841269863303223296,
                                   0.000024801587317322748843,
                                   2.7557268072890098263e-6,
                                   2.755728269310863635e-7,
                                   2.5100569275813682631e-8,
                                   2.0911367871348533624e-9};
    return r + r * r * polynomial<double>(r, P);
}

// a · 2ⁿ, in two factors, so that the greatest and the denormal powers come out right.
template <class T> inline Vec<T> scaled(Vec<T> a, Integers<T> n) {
    const Integers<T> half = n >> 1;
    return a * power_of_two<T>(half) * power_of_two<T>(n - half);
}

// e^{x + low} = (1 + s) · 2ⁿ, where `low` is small beside x, such as what was rounded off it. A product with it has all
// its digits where the power by itself would be denormal.
template <class T> struct PowerOfE {
    Vec<T> s;
    Integers<T> n;
    Vec<T> value() const { return scaled<T>(s + T(1), n); }
    Vec<T> times(Vec<T> a) const { return scaled<T>(a * s + a, n); }
};
template <class T> inline PowerOfE<T> power_of_e(Vec<T> x, Vec<T> low = Vec<T>{}) {
    Vec<T> n, r = reduce<T>(at_least<T>(at_most<T>(x, Format<T>::exp_high), Format<T>::exp_low), n) + low;
    return {expm1_of_small(r), __builtin_convertvector(n, Integers<T>)};
}
template <class T> inline Vec<T> exp(Vec<T> x) { return power_of_e<T>(x).value(); }

// The leading half of a number's digits; what is left of the number has the others.
template <class T> inline Vec<T> leading(Vec<T> x) { return from_bits<T>(bits<T>(x) & Format<T>::leading_bits); }

// For x up to 40 (float) or 80 (double), which is all that is asked for; −1 far below zero.
template <class T> inline Vec<T> expm1(Vec<T> x) {
    Vec<T> n, r = reduce<T>(at_least<T>(x, -2 * Format<T>::far), n);
    const Vec<T> two_n = power_of_two<T>(__builtin_convertvector(n, Integers<T>));
    return two_n * expm1_of_small(r) + (two_n - T(1));
}

// log m for m in [√½, √2]: with f = m − 1 and s = f / (2 + f), log m = f − (½f² − s(½f² + s²R(s²))).
inline Vec<float> log_series(Vec<float> z) {
    static constexpr float R[] = {0.66666666549883177f, 0.40000125594554367f, 0.28550396959618014f,
                                  0.23341943388714561f};
    return z * polynomial<float>(z, R);
}
inline Vec<double> log_series(Vec<double> z) {
    static constexpr double R[] = {0.66666666666666666448, 0.40000000000000941266, 0.28571428570764450117,
                                   0.22222222400547757297, 0.18181794700897799585, 0.15386290534658991988,
                                   0.13267418596474883398, 0.13100721383503491392};
    return z * polynomial<double>(z, R);
}

// log (x + x · rest), where x · rest is at most half a unit in the last place of x, as what was rounded off it.
template <class T> inline Vec<T> log(Vec<T> x, Vec<T> rest = Vec<T>{}) {
    using F = Format<T>;
    const T infinity = T(__builtin_huge_val());
    const Vec<T> size = absolute<T>(x);  // whose bits are a number that is not negative
    const Integers<T> denormal = size < F::smallest_normal;
    const Vec<T> normal = denormal ? size * T(int64_t(1) << (F::mantissa + 1)) : size;
    // x = 2ᵉ m: the exponent is counted from √½, so that m lies in [√½, √2].
    const Integers<T> e = (bits<T>(normal) - bits<T>(all<T>(T(0.70710678118654752440)))) >> F::mantissa;
    const Vec<T> f = from_bits<T>(bits<T>(normal) - (e << F::mantissa)) - T(1);
    const Vec<T> exponent = __builtin_convertvector(e - (denormal & (F::mantissa + 1)), Vec<T>);
    const Vec<T> s = f / (f + T(2)), half = T(0.5) * f * f;
    const Vec<T> low = exponent * F::ln2_low + s * (half + log_series(s * s)) + rest;
    const Vec<T> result = exponent * F::ln2_high + (f - (half - low));
    const Vec<T> at_zero = all<T>(-infinity), below = all<T>(T(__builtin_nan(""))) + x;
    return x > 0 ? (x == infinity ? x : result) : (x == 0 ? at_zero : below);
}

// log(1 + eˣ), with what the rounding of 1 + eˣ leaves out; x itself where eˣ is so large that 1 is nothing beside it.
template <class T> inline Vec<T> softplus(Vec<T> x) {
    const Vec<T> power = exp<T>(at_most<T>(x, Format<T>::far)), sum = power + T(1);
    const Vec<T> left_out = power < 1 ? power - (sum - T(1)) : T(1) - (sum - power);
    return x > Format<T>::far ? x : log<T>(sum, left_out / sum);
}

// (e^{2q} − 1) / 2 = q + q² P(q), |q| ≤ ¼ ln 2
inline Vec<float> half_expm1_of_twice(Vec<float> q) {
    const Vec<float> square = q * q;  // in pairs of terms, so that few operations wait for one another
    const Vec<float> high = square * 0.0445876902f + (q * 0.13386828f + 0.333331827f);
    return q + square * (square * high + (q * 0.666661643f + 1.0f));
}
inline Vec<double> half_expm1_of_twice(Vec<double> q) {
    static constexpr double P[] = {1.0,
                                   0.6666666666666667,
                                   0.3333333333333333,
                                   0.13333333333328018,
                                   0.044444444444436855,
                                   0.012698412712514063,
                                   0.0031746031766173117,
                                   0.0007054660626659865,
                                   0.00014109328738871622,
                                   2.570298293843321e-05,
                                   4.28264814005218e-06};
    return q + q * q * polynomial<double>(q, P);
}

// tanh |x| = G / (2 − G) with G = 1 − e^{−2|x|}, which is 1 from some |x| on. With n = 2k ≥ 0 the nearest whole number
// to 2|x| / ln 2, e^{−2|x|} is a power of two, taken from the low bits of a sum, times e^{2q}.
template <class T> inline Vec<T> tanh(Vec<T> x) {
    using F = Format<T>;
    const T to_power = F::to_whole + T(F::bias + 1);  // its low bits are the exponent of 2
    const Integers<T> sign = bits<T>(x) & VectorOf<T>::sign_bit;
    const Vec<T> y = at_least<T>(from_bits<T>(bits<T>(x) | VectorOf<T>::sign_bit), -F::tanh_is_one);  // −|x|
    const Vec<T> sum = y * T(2.8853900817779268147) + to_power, n = sum - to_power;
    const Vec<T> half_of_G_at_n = half_expm1_of_twice(y - n * T(0.34657359027997265471));
    const Vec<T> power = from_bits<T>(bits<T>(sum) << F::mantissa);  // 2ⁿ⁺¹
    const Vec<T> G = (T(1) - T(0.5) * power) - power * half_of_G_at_n;
    const Vec<T> size = G / (T(2) - G);  // its sign bit is 0
    return from_bits<T>(bits<T>(size) | sign);
}

// tanh of one number on the critical path, with a short chain of dependent operations: tanh x = 2 n d / (n² + d²) with
// n / d = tanh ½x, n = x P(x²), d = Q(x²). Where tanh x is near 1, errors of n / d vanish. P and Q are the ratio with
// the least greatest relative error of tanh x for |x| ≤ 9.02, which is 7·10⁻⁹, times 0.9, so that roundings are small
// where they count. It is within 4 units in the last place, but not monotone. From `tanh_of_one_reach`, 12.5 ln 2, on
// there is no float between tanh x and 1; there `tanh` serves, which is 1.
constexpr float tanh_of_one_reach = 8.66434f;
inline float tanh_of_one(float x) {
    const float t = x * x;
    const float n = x * t * (t * 1.0269397e-4f + 0.026789860f) + x * 0.9f;
    const float d = t * (t * t * 2.2069129e-6f + (t * 0.0021704345f + 0.20357963f)) + 1.8f;
    const float product = n * d;
    const float f = (product + product) / (d * d + n * n);
    if constexpr (vector_bytes > 16) return f;
    return f > 1.0f ? 1.0f : f < -1.0f ? -1.0f : f;  // rounded without fused multiplication and addition
}

// 1 / (1 + e⁻ˣ), or eˣ where 1 is nothing beside e⁻ˣ, which may overflow
template <class T> inline Vec<T> logistic(Vec<T> x) {
    const Integers<T> low = x < -Format<T>::far;
    const Vec<T> power = exp<T>(low ? x : -x);
    return low ? power : T(1) / (T(1) + power);
}

// (Φ(z) − ½) / z by z², |z| ≤ 1, with Φ the distribution function of the normal distribution
inline Vec<float> normal_near_zero(Vec<float> z_squared) {
    static constexpr float P[] = {0.3989422801f,    -0.06649036057f,  0.009973328481f,
                                  -0.001186343989f, 0.0001135022962f, -7.660538171e-6f};
    return polynomial<float>(z_squared, P);
}
inline Vec<double> normal_near_zero(Vec<double> z_squared) {
    static constexpr double P[] = {0.39894228040143267786,     -0.066490380066905426466,  0.0099735570100350220035,
                                   -0.0011873282154680343813,  0.00011543468751655941591, -9.44465579310384581e-6,
                                   6.6596798796552313128e-7,   -4.1224107514160813645e-8, 2.2704137585676000095e-9,
                                   -1.1064328282755891011e-10, 4.0743269774266274828e-12};
    return polynomial<double>(z_squared, P);
}

// Φ(−a) e^{a²/2} = t P(t) with t = 1 / (a + c), for a from 1 to where Φ(−a) is as good as 0
inline Vec<float> normal_tail_polynomial(Vec<float> t) {
    static constexpr float P[] = {0.56532532f,     0.164497897f,   -0.0208345558f,  -0.0155456141f,  0.00589777902f,
                                  0.000913620635f, -0.0014786981f, 0.000448556792f, 0.000168959494f, -0.000182282252f};
    return polynomial<float>(4.0f * t - 1.0f, P);
}
inline Vec<double> normal_tail_polynomial(Vec<double> t) {
    static constexpr double P[] = {
        0.55405386815496982235,     0.14757200787501018448,     0.016443859039448541474,    -0.0031763280816477899488,
        -0.00090781435469681988965, 0.00019512272763243266248,  0.000051504270561794555286, -0.000020519754506621592981,
        -1.6665087351788052403e-6,  2.2483400200762630038e-6,   -2.8854733382337932396e-7,  -1.7960617335301621045e-7,
        8.038732511371916538e-8,    -9.3254901035446000525e-10, -1.0040872330478365599e-8,  3.4038416212525447628e-9,
        2.3641356685338922248e-10,  -5.5523467294326101048e-10, 1.5225708530434639857e-10,  1.9715850576472886263e-11,
        -2.1120240023640975548e-11, 4.3851482157927482049e-12,  -2.4226361795406827473e-13};
    return polynomial<double>(8.0 * t - 1.25, P);
}
// e^{−a²/2} and the tail Φ(−a). An error of a² would be one of the power, and as large as a² times that: so a is taken
// apart. What the rounding of a + c leaves out has its place in the exponent, too.
template <class T> struct NormalTail {
    static constexpr T c = sizeof(T) == 4 ? T(1.5) : T(2);
    Vec<T> sum, P;
    PowerOfE<T> power;
    explicit NormalTail(Vec<T> a) : sum(a + c) {
        const Vec<T> t = T(1) / sum, left_out = a < c ? a - (sum - c) : c - (sum - a), high = leading<T>(a);
        P = normal_tail_polynomial(t);
        power = power_of_e<T>(T(-0.5) * (high * high), T(-0.5) * ((a - high) * (a + high)) - left_out * t);
    }
    Vec<T> times(Vec<T> factor) const { return power.times(factor / sum * P); }
};

inline Vec<float> sin_of_small(Vec<float> r) {
    static constexpr float S[] = {-0.16666666663741368f, 0.0083333318306294284f, -0.00019840063040804117f,
                                  2.7246868722877945e-6f};
    return r + r * (r * r) * polynomial<float>(r * r, S);
}
inline Vec<double> sin_of_small(Vec<double> r) {
    static constexpr double S[] = {-0.16666666666666666665,   0.0083333333333333313789,  -0.00019841269841264821617,
                                   2.7557319219150781578e-6,  -2.5052106167335706388e-8, 1.6058521349954986332e-10,
                                   -7.5860947894726200736e-13};
    return r + r * (r * r) * polynomial<double>(r * r, S);
}
inline Vec<float> cos_of_small(Vec<float> r) {
    static constexpr float C[] = {0.041666664664226133516f, -0.0013888887635227975f, 0.000024800580601354642f,
                                  -2.7298407652795175e-7f};
    const Vec<float> z = r * r;
    return 1.0f - (0.5f * z - z * z * polynomial<float>(z, C));
}
inline Vec<double> cos_of_small(Vec<double> r) {
    static constexpr double C[] = {0.041666666666666666666,   -0.0013888888888888887802, 0.000024801587301584511144,
                                   -2.7557319221298086973e-7, 2.0876755754879596407e-9,  -1.1470455178216906579e-11,
                                   4.7455370173192583661e-14};
    const Vec<double> z = r * r;
    return 1.0 - (0.5 * z - z * z * polynomial<double>(z, C));
}

// sin(x + quarter · π/2): x = k π/2 + r with |r| ≤ π/4, π/2 in parts; far out, the C library's.
template <class T> inline Vec<T> sin_from(Vec<T> x, int quarter) {
    using F = Format<T>;
    const Vec<T> k = (x * T(0.63661977236758134308) + F::to_whole) - F::to_whole;
    Vec<T> r = x;
    for (const T part : F::pi_half) r -= k * part;
    const Integers<T> q = __builtin_convertvector(k, Integers<T>) + quarter;
    const Vec<T> size = (q & 1) != 0 ? cos_of_small(r) : sin_of_small(r);
    Vec<T> result = (q & 2) != 0 ? -size : size;
    const Integers<T> far = absolute<T>(x) > F::pi_half_reach;
    for (int i = 0; i < lanes<T>; i++)
        if (far[i]) result[i] = T(quarter ? __builtin_cos(double(x[i])) : __builtin_sin(double(x[i])));
    return result;
}
template <class T> inline Vec<T> sin(Vec<T> x) { return sin_from<T>(x, 0); }
template <class T> inline Vec<T> cos(Vec<T> x) { return sin_from<T>(x, 1); }

}  // namespace chainrule::CHAINRULE_ISA
