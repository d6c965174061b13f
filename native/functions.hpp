// exp, log, tanh, erf and their like on vectors, each within 4 units in the last place over its whole range.
//
// The polynomials interpolate at Chebyshev nodes; each comment says what is approximated and on what interval.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> struct Format;
template <> struct Format<float> {
    static constexpr int mantissa = 23, bias = 127;
    static constexpr float to_whole = 12582912.0f;         // 1.5 · 2²³: adding it leaves no bit for a fraction
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440054690583e-4f;
    static constexpr float exp_low = -104.0f, exp_high = 89.0f;  // beyond these eˣ is 0 or infinite
    static constexpr float smallest_normal = 1.17549435e-38f;
    static constexpr float far = 20.0f;                    // tanh and erf are 1 there, and e⁻ᶠᵃʳ is below half a unit
    static constexpr float pi_half[4] = {1.5703125f, 0.0004837512969970703f, 7.549533620476723e-08f, 2.56334407e-12f};
    static constexpr float pi_half_reach = 5000.0f;        // as far as the parts serve
};
template <> struct Format<double> {
    static constexpr int mantissa = 52, bias = 1023;
    static constexpr double to_whole = 6755399441055744.0;  // 1.5 · 2⁵²
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double exp_low = -746.0, exp_high = 710.0;
    static constexpr double smallest_normal = 2.2250738585072014e-308;
    static constexpr double far = 40.0;
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
    static constexpr float P[] = {0.5f,           0.16666666666666667f,   0.041666553762567638f,
                                  0.0083333207922532570f, 0.0013926325618133462f, 0.00019882856072090039f};
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

template <class T> inline Vec<T> exp(Vec<T> x) {
    Vec<T> n, r = reduce<T>(at_least<T>(at_most<T>(x, Format<T>::exp_high), Format<T>::exp_low), n);
    const Integers<T> whole = __builtin_convertvector(n, Integers<T>), half = whole >> 1;
    // In two factors, so that the greatest and the denormal powers come out right.
    return (expm1_of_small(r) + T(1)) * power_of_two<T>(half) * power_of_two<T>(whole - half);
}

// For x up to 40 (float) or 80 (double), which is all that is asked for; −1 far below zero.
template <class T> inline Vec<T> expm1(Vec<T> x) {
    Vec<T> n, r = reduce<T>(at_least<T>(x, -2 * Format<T>::far), n);
    const Vec<T> two_n = power_of_two<T>(__builtin_convertvector(n, Integers<T>));
    return two_n * expm1_of_small(r) + (two_n - T(1));
}

// log m for m in [√½, √2]: with f = m − 1 and s = f / (2 + f), log m = f − (½f² − s(½f² + s²R(s²))).
inline Vec<float> log_series(Vec<float> z) {
    static constexpr float R[] = {0.66666666549883177f, 0.40000125594554367f, 0.28550396959618014f, 0.23341943388714561f};
    return z * polynomial<float>(z, R);
}
inline Vec<double> log_series(Vec<double> z) {
    static constexpr double R[] = {0.66666666666666666448, 0.40000000000000941266, 0.28571428570764450117,
                                   0.22222222400547757297, 0.18181794700897799585, 0.15386290534658991988,
                                   0.13267418596474883398, 0.13100721383503491392};
    return z * polynomial<double>(z, R);
}

template <class T> inline Vec<T> log(Vec<T> x) {
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
    const Vec<T> low = exponent * F::ln2_low + s * (half + log_series(s * s));
    const Vec<T> result = exponent * F::ln2_high + (f - (half - low));
    const Vec<T> at_zero = all<T>(-infinity), below = all<T>(T(__builtin_nan(""))) + x;
    return x > 0 ? (x == infinity ? x : result) : (x == 0 ? at_zero : below);
}

// log(1 + y) for 0 ≤ y ≤ 1: the rounding of 1 + y is put right to first order.
template <class T> inline Vec<T> log1p(Vec<T> y) {
    const Vec<T> u = y + T(1);
    return log<T>(u) + (y - (u - T(1))) / u;
}

// log(1 + eˣ) = max(x, 0) + log(1 + e^{−|x|})
template <class T> inline Vec<T> softplus(Vec<T> x) {
    const Vec<T> positive = x < 0 ? Vec<T>{} : x;
    return positive + log1p<T>(exp<T>(-absolute<T>(x)));
}

template <class T> inline Vec<T> with_sign_of(Vec<T> size, Vec<T> x) {
    const Integers<T> sign = Integers<T>{} + (decltype(Integers<T>{}[0] + 0)(1) << (8 * sizeof(T) - 1));
    return from_bits<T>((bits<T>(size) & ~sign) | (bits<T>(x) & sign));
}

// tanh |x| = E / (E + 2) with E = e^{2|x|} − 1
inline Vec<double> tanh_of(Vec<double> x) {
    const Vec<double> E = expm1<double>(2.0 * at_most<double>(absolute<double>(x), Format<double>::far));
    return with_sign_of<double>(E / (E + 2.0), x);
}
// tanh x = 2 n d / (n² + d²) with n / d = tanh ½x, n = x P(x²), d = Q(x²): where tanh x is near 1, errors of n / d vanish.
// P and Q are the ratio with the least greatest relative error of tanh x for |x| ≤ 9.02, which is 7·10⁻⁹, times 0.9, so
// that roundings are small where they count. In halves, so that few operations wait for one another. Numbers: one, or a
// vector.
constexpr float tanh_is_one = 9.02f;
template <class Numbers> inline Numbers tanh_of_middle(Numbers x) {
    const Numbers t = x * x;
    const Numbers n = x * t * (t * 1.0269397e-4f + 0.026789860f) + x * 0.9f;
    const Numbers d = t * (t * t * 2.2069129e-6f + (t * 0.0021704345f + 0.20357963f)) + 1.8f;
    const Numbers product = n * d;
    return (product + product) / (d * d + n * n);
}
// Without fused multiplication and addition, rounding may go beyond 1.
template <class Numbers> inline Numbers within_one(Numbers f) {
    if constexpr (vector_bytes > 16) return f;
    const Numbers above = f > 1.0f ? f - f + 1.0f : f;
    return above < -1.0f ? f - f - 1.0f : above;
}
inline Vec<float> tanh_of(Vec<float> x) {
    return within_one(tanh_of_middle(at_least<float>(at_most<float>(x, tanh_is_one), -tanh_is_one)));
}
template <class T> inline Vec<T> tanh(Vec<T> x) { return tanh_of(x); }

template <class T> inline Vec<T> logistic(Vec<T> x) { return T(1) / (T(1) + exp<T>(-x)); }

// erf x = x P(x²), |x| ≤ 1
inline Vec<float> erf_of_small(Vec<float> x) {
    static constexpr float P[] = {1.1283791658483509f,  -0.37612626666720332f,   0.11283594715160217f,
                                  -0.026854212010626413f, 0.0051890874234339740f, -0.00080168642871658695f,
                                  0.000078758750626854883f};
    return x * polynomial<float>(x * x, P);
}
inline Vec<double> erf_of_small(Vec<double> x) {
    static constexpr double P[] = {1.1283791670955125738,     -0.37612638903183748056,   0.11283791670954878666,
                                   -0.026866170645076793248,  0.0052239776248180144673,  -0.00085483269808337899052,
                                   0.00012055331111642710923, -0.000014925595266831181565, 1.6461000484121368033e-6,
                                   -1.6350312701054695011e-7, 1.4659775274047435814e-8,  -1.137284885679167367e-9,
                                   5.9571761477489114044e-11};
    return x * polynomial<double>(x * x, P);
}

// log(1 − erf t) + t² as a polynomial in t − c: c = 2.5 on [1, 4], c = 3.5 on [1, 6]
inline Vec<float> erf_of_large(Vec<float> t) {
    static constexpr float P[] = {-1.5568152767534173f,   -0.35268074917265322f,   0.056106355446122860f,
                                  -0.010858112935861836f, 0.0021651698714246241f,  -0.00042079165062549097f,
                                  0.000077387603633657035f, -0.000012925695868861937f, 1.6155811475435352e-6f,
                                  -7.5826819697252740e-8f};
    t = at_most<float>(t, 4.0f);
    return 1.0f - exp<float>(polynomial<float>(t - 2.5f, P) - t * t);
}
inline Vec<double> erf_of_large(Vec<double> t) {
    static constexpr double P[] = {
        -1.8624374021481737553,    -0.26609958836519067306,   0.033246945257769851067,   -0.005225658221942860614,
        0.00087368732364082371621, -0.00014729777488781743818, 0.000024386373538371928001, -3.8895571774332908028e-6,
        5.8561434202146857347e-7,  -8.0693009210598873992e-8, 9.5316623245675597844e-9,  -7.7490982160991445001e-10,
        -2.4797961927313532735e-11, 3.0657997470652254912e-11, -9.181632549224173227e-12, 2.05374382433180993e-12,
        -3.9365555361178705863e-13, 6.732658943904082419e-14, -8.9333129390366373054e-15, 5.1811269632167101886e-16,
        -2.3727617867631580774e-17, 2.0718495744576253859e-17, 7.9541595055272865202e-18, -5.0952776026692952067e-18,
        6.3255205887184927206e-19};
    t = at_most<double>(t, 6.0);
    return 1.0 - exp<double>(polynomial<double>(t - 3.5, P) - t * t);
}

template <class T> inline Vec<T> erf(Vec<T> x) {
    const Vec<T> size = absolute<T>(x);
    return size <= T(1) ? erf_of_small(x) : with_sign_of<T>(erf_of_large(size), x);
}

inline Vec<float> sin_of_small(Vec<float> r) {
    static constexpr float S[] = {-0.16666666663741368f, 0.0083333318306294284f, -0.00019840063040804117f,
                                  2.7246868722877945e-6f};
    return r + r * (r * r) * polynomial<float>(r * r, S);
}
inline Vec<double> sin_of_small(Vec<double> r) {
    static constexpr double S[] = {-0.16666666666666666665, 0.0083333333333333313789,  -0.00019841269841264821617,
                                   2.7557319219150781578e-6, -2.5052106167335706388e-8, 1.6058521349954986332e-10,
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
    static constexpr double C[] = {0.041666666666666666666, -0.0013888888888888887802, 0.000024801587301584511144,
                                   -2.7557319221298086973e-7, 2.0876755754879596407e-9, -1.1470455178216906579e-11,
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
