# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


import ddt
from oslotest import base

from mempage_certificate.pages import drawing


@ddt.ddt
class DrawingTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data((0, '0'), (0.98765, '0.9877'), (12, '12'), (999.96, '1000'),
              (4096, '4,096'), (52000.4, '52,000'), (10 ** 13, '1e+13'),
              (1e-7, '1e-07'))
    def test_number(self, value, expected):
        self.assertEqual(expected, drawing.number(value))

    @ddt.unpack
    @ddt.data((0, 10, [0, 2, 4, 6, 8, 10]), (0.5, 6.5, [2, 4, 6]),
              (-3, 3, [-2, 0, 2]), (0.83, 1.17, [0.9, 1.0, 1.1]),
              (0, 9.99999999, [0, 2, 4, 6, 8]), (7e8, 1e9, [
                  7e8, 8e8, 9e8, 1e9]))
    def test_marks(self, low, high, expected):
        found = drawing.Axis('x', low, high).marks()
        self.assertEqual(['%.6g' % value for value in expected],
                         ['%.6g' % value for value in found])

    @ddt.unpack
    @ddt.data((0.4, 4000, [1, 10, 100, 1000]),
              (0.9, 60, [1, 2, 5, 10, 20, 50]),
              (95, 105, [96, 98, 100, 102, 104]))
    def test_marks_of_powers(self, low, high, expected):
        self.assertEqual(expected, drawing.Axis('x', low, high, True).marks())

    def test_whole_numbers(self):
        self.assertEqual([1, 2], drawing.Axis('round', 0.5, 2.5,
                                              whole=True).marks())

    @ddt.data([0], [5], [0, 0], [1e-9, 1e18], [-5, -5], [1, 1 + 1e-15])
    def test_any_values_have_a_place(self, values):
        for axis in (drawing.around('x', values),
                     drawing.around('x', values, True),
                     drawing.logarithmic('x', values)):
            for value in values:
                self.assertTrue(0 <= axis.share(value) <= 1, (axis, value))
            self.assertLess(len(axis.marks()), 30)

    def test_zero_has_no_logarithm(self):
        self.assertEqual((False, 0), (
            drawing.logarithmic('x', [0, 5]).logarithmic,
            drawing.logarithmic('x', [0, 5]).low))

    def test_coordinates(self):
        drawn = drawing.Drawing(drawing.Axis('x', 0, 10),
                                drawing.Axis('y', 0, 4))
        left, bottom = drawn.point(0, 0)
        right, top = drawn.point(10, 4)
        self.assertTrue(0 < left < right < drawing.WIDTH)
        self.assertTrue(0 < top < bottom < drawn.height)
        self.assertEqual((left + right) / 2, drawn.across(5))
        drawn.area('steady', (right, bottom), (left, top))
        self.assertEqual([(left, top), (right - left, bottom - top)],
                         drawn.shapes[-1].points)
        self.assertEqual(['x', 'y'], [
            shape.text for shape in drawn.shapes if shape.text in ('x', 'y')])
