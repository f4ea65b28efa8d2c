//! The methods of a fit.

/// Method of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitMethod {
    /// Two fits to all samples: ridge regression of the scores, or of the normal quantiles of their ranks, whichever a plane predicts
    /// better; and logistic regression of the side of the threshold on which each score is. The second one is taken if it separates
    /// held-out samples better by their side. If there are only two different scores, it is the only one, and counts both alike.
    ///
    /// Of more than 4096 codes with more than 4096 values, none of this can be solved: they are given to the support vector machine.
    Regression,
    /// A linear support vector machine on the samples with the highest and the lowest scores.
    Svm,
    /// Least squares of the scores on all samples; the hyperplane is where the predicted score is the threshold.
    ///
    /// It also uses the scores between the ends, and needs more codes than a code has values.
    LeastSquares,
}
