"""``GridSearch``: scikit-learn's grid search, with fits that the native engine makes side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from ..engines.threads import allowed
from ..training.many import execute
from ..training.run import INTERRUPTED
from .base import BaseMLP, Fit, prepared

_MEMORY = 1 << 28  # bytes of the fits that are made at a time, more than as many as there are threads


class GridSearch(GridSearchCV):  # type: ignore[misc]
    """Scikit-learn's ``GridSearchCV``, to the same bits, and far faster for chainrule's own estimators.

    The fits of an :class:`~chainrule.MLPClassifier` or :class:`~chainrule.MLPRegressor` are made side by side, each by
    one thread of the native engine, in this process. Those that it cannot make so are made one after the other, each
    by all threads: with early stopping, "adaptive" rates, callbacks, `verbose`, L-BFGS or definitions of your own. Any
    other estimator, such as a pipeline, is searched by ``GridSearchCV`` itself.

    Parameters
    ----------
    estimator, param_grid, scoring, refit, cv, verbose, error_score, return_train_score
        As for ``GridSearchCV``.
    n_jobs : int, optional
        How many threads may be used; -1 for all cores, and by default as many as :func:`chainrule.train` would use.

    Attributes
    ----------
    cv_results_, best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_, refit_time_, multimetric_
        As those of ``GridSearchCV``. A fit time is the mean over the fits that were made side by side.

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

    n_jobs: Any

    def fit(self, X: Any, y: Any = None, **params: Any) -> GridSearch:
        """Search, and fit the best setting to all rows; see ``GridSearchCV.fit``."""
        if not isinstance(self.estimator, BaseMLP):
            return super().fit(X, y, **params)  # type: ignore[no-any-return]
        n_jobs = self.n_jobs
        self._threads = allowed() if n_jobs is None else effective_n_jobs(n_jobs)
        self._fit_params = self._get_routed_params_for_fit(params).estimator.fit
        try:
            self.n_jobs = None  # fits and scores are asked for in this process
            super().fit(X, y, **params)
        finally:
            self.n_jobs = n_jobs
            del self._threads, self._fit_params
        return self

    def _run_search(self, evaluate_candidates: Any) -> None:
        candidates = list(ParameterGrid(self.param_grid))
        if not isinstance(self.estimator, BaseMLP):
            evaluate_candidates(candidates)
            return
        ahead = _Ahead(self, candidates)
        token = prepared.set(ahead)
        try:
            results = evaluate_candidates(candidates, cv=ahead)
        finally:
            prepared.reset(token)
        results["mean_fit_time"] += ahead.seconds / (len(candidates) * self.n_splits_)


class _Ahead:
    """The splits of a search, and its fits in the order in which they are asked for, some made ahead of that."""

    def __init__(self, search: GridSearch, candidates: list[dict[str, Any]]) -> None:
        self._search, self._candidates = search, candidates
        self.seconds = 0.0

    def split(self, X: Any, y: Any = None, **more: Any) -> Iterable[tuple[Any, Any]]:
        """Split as the search was asked to."""
        splits = list(self._search._checked_cv_orig.split(X, y, **more))
        self._fits = self._made_ahead(X, y, splits)
        return splits

    def take(self, estimator: BaseMLP) -> Fit | None:
        """Return the next fit if it was made, as the estimator would have made it."""
        made = next(self._fits)
        asked = estimator.__dict__  # which has its parameters alone
        if made is None or repr({name: made[0].__dict__[name] for name in asked}) != repr(asked):
            return None
        asked.update(made[0].__dict__)
        return made[1]

    def _made_ahead(self, X: Any, y: Any, splits: list[tuple[Any, Any]]) -> Iterator[tuple[BaseMLP, Fit] | None]:
        """Yield for every candidate and split the fit that was made, or None where it goes alone."""
        asked = list(product(self._candidates, range(len(splits))))
        done = 0
        while done < len(asked):
            parts: dict[int, Any] = {}  # what a split trains on, for all its candidates
            some: list[tuple[BaseMLP, Fit] | None] = []
            size = 0
            while done + len(some) < len(asked) and (len(some) < self._search._threads or size < _MEMORY):
                candidate, number = asked[done + len(some)]
                if number not in parts:
                    parts[number] = self._part(X, y, splits[number][0])
                    size += getattr(parts[number][0], "nbytes", 0)
                made = self._prepared(candidate, *parts[number])
                size += 0 if made is None else 8 * made[1].run.state.theta.nbytes
                some.append(made)
            self._execute(some)
            done += len(some)
            yield from some

    def _part(self, X: Any, y: Any, rows: Any) -> tuple[Any, Any, Any]:
        x, targets = _safe_split(self._search.estimator, X, y, rows)
        return x, targets, _check_method_params(X, params=self._search._fit_params, indices=rows)

    def _prepared(self, candidate: dict[str, Any], x: Any, y: Any, more: dict[str, Any]) -> tuple[BaseMLP, Fit] | None:
        estimator = clone(self._search.estimator)
        try:
            estimator.set_params(**clone(candidate, safe=False))
            estimator._validate_params()
            fit: Fit = estimator._prepare(x, y, **more)
        except (ValueError, TypeError):  # the estimator says it again when it is asked to fit
            return None
        return (estimator, fit) if fit.goes_beside_others else None

    def _execute(self, some: list[tuple[BaseMLP, Fit] | None]) -> None:
        begin = time.perf_counter()
        runs = execute([one[1].job for one in some if one is not None], self._search._threads, progress=False)
        if any(run.stopped == INTERRUPTED for run in runs):
            raise KeyboardInterrupt
        for k, one in enumerate(some):
            if one is not None and one[1].run.error is not None:
                some[k] = None  # the estimator comes upon it again, and says so
        self.seconds += time.perf_counter() - begin
