"""How good a classifier is: metrics with intervals, the verdict, predictions as a table, the report."""

from striate.evaluation.intervals import CONFIDENCE as CONFIDENCE
from striate.evaluation.intervals import Number as Number
from striate.evaluation.intervals import wilson as wilson
from striate.evaluation.judgement import judge as judge
from striate.evaluation.predictions import write_predictions as write_predictions
from striate.evaluation.reporting.report import Report as Report
from striate.evaluation.reporting.report import WrongImage as WrongImage
from striate.evaluation.reporting.report import render_report as render_report
from striate.evaluation.verdict import ClassVerdict as ClassVerdict
from striate.evaluation.verdict import Verdict as Verdict
