"""``GridSearch``: scikit-learn's grid search, with fits that the native engine makes side by side."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from ..engines.threads import allowed
from ..training.many import execute_runs
from ..training.run import INTERRUPTED
from .atomic import unchanged_on_error
from .classifier import MLPClassifier
from .contract import BaseMLP
from .fitting import Fit, prepare
from .inputs import dense_if_small, known_to_scikit_learn
from .regressor import MLPRegressor

_Made: TypeAlias = tuple[BaseMLP, Fit]  # the estimator and its fit
_MEMORY = 1 << 28  # bytes of the fits that are made at a time, more than as many as there are threads


class GridSearch(GridSearchCV):  # type: ignore[misc]
    """Scikit-learn's ``GridSearchCV``, to the same bits, and far faster for chainrule's own estimators.

    The fits of an :class:`~chainrule.MLPClassifier` or :class:`~chainrule.MLPRegressor` are made side by side, each by
    one thread of the native engine, in this process. Those that it cannot make so are made one after the other, each
    by all threads: with early stopping, "adaptive" rates, callbacks, `verbose`, L-BFGS, definitions of your own, or a
    `random_state` that is not a number. Any other estimator, such as a pipeline or a subclass, is left to
    ``GridSearchCV`` itself.

    Parameters
    ----------
    estimator, param_grid, scoring, refit, cv, verbose, error_score, return_train_score
        As for ``GridSearchCV``.
    n_jobs : int, optional
        How many threads may be used; -1 for all cores, and by default as many as :func:`chainrule.train` would use.

    Attributes
    ----------
    cv_results_, best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_, refit_time_, multimetric_
        As those of ``GridSearchCV``. The time of a fit made beside others is the mean over these.

    Examples
    --------
    >>> from chainrule import GridSearch, MLPClassifier
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(max_iter=300, random_state=0)
    >>> search = GridSearch(model, {"alpha": [1e-4, 1e-1]}, cv=3).fit(X, y)
    >>> search.best_score_ > 0.9
    True
    """

    estimator: Any
    n_jobs: Any

    def fit(self, X: Any, y: Any = None, **params: Any) -> GridSearch:
        """Search, and fit the best setting to all rows; see ``GridSearchCV.fit``."""
        with unchanged_on_error(self):
            if not self._is_ours:
                return super().fit(X, y, **params)  # type: ignore[no-any-return]
            estimator, n_jobs = self.estimator, self.n_jobs
            self._threads = allowed() if n_jobs is None else effective_n_jobs(n_jobs)
            self._fit_params = self._get_routed_params_for_fit(params).estimator.fit
            self._ahead = _Ahead(self)
            self.estimator, self.n_jobs = self._ahead.source, 1  # all fits and scores run in this process
            super().fit(known_to_scikit_learn(X), known_to_scikit_learn(y), **params)
            self.estimator, self.n_jobs = estimator, n_jobs
            self._ahead.release()
            del self._threads, self._fit_params, self._ahead
        return self

    def _run_search(self, evaluate_candidates: Any) -> None:
        candidates = list(ParameterGrid(self.param_grid))
        if not self._is_ours:
            evaluate_candidates(candidates)
            return
        self._ahead.candidates = candidates
        self._ahead.put_times_right(evaluate_candidates(candidates, cv=self._ahead))

    @property
    def _is_ours(self) -> bool:
        """Whether fits can be made ahead; a subclass may do with its data what it likes before it fits."""
        return type(self.estimator) in (MLPClassifier, MLPRegressor)


class _Ahead:
    """The splits of a search and its fits, in scikit-learn's order; most fits are made before they are requested.

    scikit-learn clones the estimator of a search once, and this clone once for every fit. These last clones, which no
    user code sees before they are fitted, receive the fits that were made; no other estimator ever does.

    Attributes
    ----------
    source : estimator
        Takes the place of the search's estimator until the search splits its rows.
    candidates : list of dict
        The settings that are searched.
    """

    def __init__(self, search: GridSearch) -> None:
        self._search, self._estimator = search, search.estimator
        self.source: BaseMLP = _cloned_by(clone(search.estimator), self._new_base)
        self.candidates: list[dict[str, Any]] = []
        self._unclaimed = 0  # clones still to come that receive a fit
        self._taken: list[bool] = []  # of every fit that was requested, whether it had been made
        self._waited: list[float] = []  # seconds that it took to ask
        self._making = 0.0  # seconds

    def split(self, X: Any, y: Any = None, **more: Any) -> Iterable[tuple[Any, Any]]:
        """Split as the search was asked to."""
        self._search.estimator = self._estimator
        splits = list(self._search._checked_cv_orig.split(X, y, **more))
        self._fits = self._made_ahead(X, y, splits)
        self._unclaimed = len(self.candidates) * len(splits)
        return splits

    def _new_base(self) -> BaseMLP:
        """Return a clone of the source; scikit-learn's own is the last, as no user code runs between it and `split`."""
        self._base: BaseMLP = clone(self._estimator)
        return _cloned_by(self._base, partial(self._claimant, self._base))

    def _claimant(self, base: BaseMLP) -> BaseMLP:
        """Return a clone of a base, which receives the next fit if the base is scikit-learn's and fits are left."""
        estimator: BaseMLP = clone(self._estimator)
        if base is self._base and self._unclaimed:
            self._unclaimed -= 1
            estimator._claim_fit = self._take
        return estimator

    def _take(self, estimator: BaseMLP) -> Fit | None:
        """Return the next fit if it was made; the estimator then knows its data."""
        begin = time.perf_counter()
        made = next(self._fits, None)
        self._taken.append(made is not None)
        self._waited.append(time.perf_counter() - begin)
        if made is None:
            return None
        estimator.__dict__.update(made[0].__dict__)
        return made[1]

    def release(self) -> None:
        """Leave the source, which `scorer_` keeps, and scikit-learn's clone of it as plain estimators."""
        for estimator in (self.source, self._base):
            del estimator.__dict__["__sklearn_clone__"]

    def put_times_right(self, results: dict[str, Any]) -> None:
        """Give every fit that was made ahead an equal part of the time that they took, and none the wait for others."""
        waited = np.array(self._waited).reshape(len(self.candidates), -1)
        taken = np.array(self._taken).reshape(waited.shape)
        of_each = self._making / max(1, taken.sum())
        results["mean_fit_time"] += (np.where(taken, of_each, 0.0) - waited).mean(axis=1)
        results["std_fit_time"][taken.all(axis=1)] = 0.0

    def _made_ahead(self, X: Any, y: Any, splits: list[tuple[Any, Any]]) -> Iterator[_Made | None]:
        """Yield for every candidate and split the fit that was made, or None where it goes alone."""
        asked = list(product(self.candidates, range(len(splits))))
        done = 0
        while done < len(asked):
            parts: dict[int, Any] = {}  # what a split trains on, for all its candidates
            some: list[_Made | None] = []
            arrays: dict[int, int] = {}  # the bytes of each
            while done + len(some) < len(asked) and (
                len(some) < self._search._threads or sum(arrays.values()) < _MEMORY
            ):
                candidate, number = asked[done + len(some)]
                if number not in parts:
                    parts[number] = self._part(X, y, splits[number][0])
                made = self._prepared(candidate, *parts[number])
                if made is not None:
                    run, data = made[1].run, made[1].split.training
                    arrays |= {id(array): array.nbytes for array in (data.x, data.y, data.weights)}
                    arrays[id(run)] = 8 * run.state.theta.nbytes
                some.append(made)
            self._execute(some)
            done += len(some)
            yield from some

    def _part(self, X: Any, y: Any, rows: Any) -> tuple[Any, Any, Any]:
        x, targets = _safe_split(self._search.estimator, X, y, rows)
        return (
            dense_if_small(x) if sparse.issparse(x) else x,
            targets,
            _check_method_params(X, params=self._search._fit_params, indices=rows),
        )

    def _prepared(self, candidate: dict[str, Any], x: Any, y: Any, more: dict[str, Any]) -> _Made | None:
        estimator = clone(self._search.estimator)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                estimator.set_params(**clone(candidate, safe=False))
                if not isinstance(estimator.random_state, Integral):
                    return None  # others may draw from it before this fit does
                estimator._validate_params()
                fit = prepare(estimator, x, y, **more)
            except Exception:
                return None  # the estimator comes upon it again when it is asked to fit, and says so
        if not fit.can_run_in_batch:
            return None
        for one in told:
            warnings.warn(one.message, stacklevel=2)
        return estimator, fit

    def _execute(self, some: list[_Made | None]) -> None:
        begin = time.perf_counter()
        runs = execute_runs([one[1].member for one in some if one is not None], self._search._threads, progress=False)
        if any(run.stopped == INTERRUPTED for run in runs):
            raise KeyboardInterrupt
        for k, one in enumerate(some):
            if one is not None and one[1].run.error is not None:
                some[k] = None  # likewise
        self._making += time.perf_counter() - begin


def _cloned_by(estimator: BaseMLP, make: Callable[[], BaseMLP]) -> BaseMLP:
    """Return the estimator, of which scikit-learn's ``clone`` is from now on what `make` returns."""
    estimator.__dict__["__sklearn_clone__"] = make
    return estimator
